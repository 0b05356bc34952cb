/** @module A binary heap: the least item first. */

/** Items by a numeric key, the least first; equal keys in no particular order. */
export class Heap<T> {
  #keys: number[] = [];
  #items: T[] = [];

  get size(): number {
    return this.#keys.length;
  }

  /** Key of the least item; Infinity when empty. */
  get leastKey(): number {
    return this.#keys.length > 0 ? this.#keys[0] : Infinity;
  }

  push(key: number, item: T): void {
    let at = this.#keys.length;
    this.#keys.push(key);
    this.#items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#keys[parent] <= key) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Take the least item; undefined when empty. */
  pop(): T | undefined {
    const least = this.#items[0];
    const key = this.#keys.pop();
    const item = this.#items.pop();
    if (this.#keys.length === 0) return least;
    this.#keys[0] = key!;
    this.#items[0] = item!;
    this.#sink();
    return least;
  }

  #sink() {
    let at = 0;
    while (true) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#keys.length && this.#keys[child] < this.#keys[least]) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(a: number, b: number) {
    [this.#keys[a], this.#keys[b]] = [this.#keys[b], this.#keys[a]];
    [this.#items[a], this.#items[b]] = [this.#items[b], this.#items[a]];
  }
}
