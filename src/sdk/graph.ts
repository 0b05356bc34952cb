/** @module Order and weight of a graph's nodes. */

/** Nodes by id with the ids that each waits for. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/**
 * Ids so that each stands behind all that it waits for, ties by id. Where that cannot be, a cycle:
 * ids in the order of the edges, from the least id and back to it.
 */
export function topologicalOrder(graph: Graph): { order: string[] } | { cycle: string[] } {
  const waitsFor = new Map([...graph].map(([id, upstream]) => [id, upstream.length]));
  const downstream = downstreamOf(graph);
  const order: string[] = [];
  let ready = [...graph.keys()].filter((id) => waitsFor.get(id) === 0).sort();
  while (ready.length > 0) {
    const next: string[] = [];
    for (const id of ready) {
      order.push(id);
      for (const below of downstream.get(id)!) {
        const left = waitsFor.get(below)! - 1;
        waitsFor.set(below, left);
        if (left === 0) next.push(below);
      }
    }
    ready = next.sort();
  }
  return order.length === graph.size ? { order } : { cycle: findCycle(graph, waitsFor) };
}

/** The graph with its edges turned round. */
export function reversed(graph: Graph): Graph {
  return downstreamOf(graph);
}

/**
 * Own weight plus the weights of all nodes downstream, each once; `order` is topological. Kept
 * within 32 bits, as the database does.
 */
export function totalWeights(
  graph: Graph,
  order: readonly string[],
  weight: (id: string) => number,
): Map<string, number> {
  const indexOf = new Map(order.map((id, i) => [id, i]));
  const weights = order.map(weight);
  const words = Math.ceil(order.length / 32);
  const below = order.map(() => new Uint32Array(0));
  const totals = new Map<string, number>();
  for (let i = order.length - 1; i >= 0; i--) {
    const reach = below[i].length > 0 ? below[i] : new Uint32Array(words);
    let total = weights[i];
    for (let w = 0; w < words; w++) {
      for (let bits = reach[w]; bits !== 0; bits &= bits - 1) {
        total += weights[w * 32 + 31 - Math.clz32(bits & -bits)];
      }
    }
    totals.set(order[i], Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, total)));
    reach[i >> 5] |= 1 << (i & 31);
    for (const id of graph.get(order[i])!) {
      const above = indexOf.get(id)!;
      if (below[above].length === 0) below[above] = new Uint32Array(words);
      const target = below[above];
      for (let w = 0; w < words; w++) target[w] |= reach[w];
    }
    below[i] = new Uint32Array(0);
  }
  return totals;
}

function downstreamOf(graph: Graph): Map<string, string[]> {
  const downstream = new Map([...graph.keys()].map((id) => [id, [] as string[]]));
  for (const [id, upstream] of graph) for (const above of upstream) downstream.get(above)!.push(id);
  return downstream;
}

function findCycle(graph: Graph, waitsFor: ReadonlyMap<string, number>): string[] {
  const stuck = (id: string) => waitsFor.get(id)! > 0;
  const path: string[] = [];
  const seen = new Map<string, number>();
  let id = [...graph.keys()].filter(stuck).sort()[0];
  while (!seen.has(id)) {
    seen.set(id, path.length);
    path.push(id);
    id = graph.get(id)!.find(stuck)!;
  }
  const cycle = path.slice(seen.get(id)!).reverse();
  const first = cycle.indexOf(cycle.toSorted()[0]);
  return [...cycle.slice(first), ...cycle.slice(0, first), cycle[first]];
}
