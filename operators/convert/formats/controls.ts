/** @module Records that wait for the control total of their account or batch. */
import type { RecordPlace, RecordStage } from "./record_stage.ts";

/** Rows that are kept or refused together. */
export class ControlledRows {
  readonly #stage: RecordStage;
  readonly #rule: string;
  #pending: { values: Record<string, unknown>; place: RecordPlace; raw: string }[] = [];

  constructor(stage: RecordStage, rule: string) {
    this.#stage = stage;
    this.#rule = rule;
  }

  get count(): number {
    return this.#pending.length;
  }

  add(values: Record<string, unknown>, place: RecordPlace, raw: string): void {
    this.#pending.push({ values, place, raw });
  }

  /** The last row, to which more may be added. */
  get last(): { values: Record<string, unknown>; place: RecordPlace; raw: string } | undefined {
    return this.#pending.at(-1);
  }

  /** Keep them, or, with a reason, refuse them all. */
  async close(reason: string | null): Promise<void> {
    for (const { values, place, raw } of this.#pending) {
      if (reason === null) this.#stage.add(values, place);
      else await this.#stage.refuse({ rule: this.#rule, reason, raw }, place);
    }
    this.#pending = [];
  }
}
