/** @module Arrow's IPC files, which Feather (version 2) are, too, and streams. */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { OffsetError, OffsetWindow } from "../offset_window.ts";
import { TableStage } from "../staging.ts";
import { uniqueNames } from "../unique_names.ts";
import { arraysOf, type ArrowArray, type Body } from "./arrays.ts";
import { columnOf, TooNarrow, type Widened } from "./columns.ts";
import { emitRows, type FindDictionary } from "./emit.ts";
import { MAGIC, OLD_FEATHER } from "./magic.ts";
import { at, type Message, nextMessage, readFooter } from "./messages.ts";
import { type ArrowSchema, schemaOf } from "./schema.ts";

/** Rows that are staged at a time, so that no row group grows too large. */
const SLICE_ROWS = 16_384;
/** Each of these widens one column by a step. */
const ATTEMPTS = 200;

/** Read a file or a stream. */
export async function readArrow(call: ReadCall): Promise<RowSource> {
  const { file } = call;
  const widened = new Map<number, number>();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return await new ArrowReader(call, widened).read();
    } catch (error) {
      call.signal.throwIfAborted();
      const cause = error instanceof OffsetError ? error.cause : error;
      if (cause instanceof TooNarrow && (widened.get(cause.field.id) ?? 0) < 2) {
        widened.set(cause.field.id, (widened.get(cause.field.id) ?? 0) + 1);
        continue;
      }
      if (!(error instanceof OffsetError)) throw error;
      throw new AppError(
        "CORRUPT",
        `Cannot read ${file.name} as Arrow: ${error.message}, at offset ${error.offset}`,
        { cause: error, detail: { offset: error.offset } },
      );
    }
  }
  throw new AppError("CORRUPT", `Cannot read ${file.name} as Arrow: its values fit no types`);
}

/** One way through the file. */
class ArrowReader {
  readonly #call: ReadCall;
  readonly #widened: Widened;
  readonly #dictionaries = new Map<number, ArrowArray[]>();
  #schema: ArrowSchema | null = null;
  #stage: TableStage | null = null;

  constructor(call: ReadCall, widened: Widened) {
    this.#call = call;
    this.#widened = widened;
  }

  async read(): Promise<RowSource> {
    const { path, bytes } = this.#call.file;
    using file = await Deno.open(path);
    const head = new Uint8Array(8);
    await file.read(head);
    const magic = new TextDecoder("latin1").decode(head);
    if (magic.startsWith(OLD_FEATHER)) {
      throw new OffsetError(
        "it is Feather of version 1, which Arrow itself no longer reads; write it as version 2",
        0,
      );
    }
    if (magic.startsWith(MAGIC)) await this.#readFile(file, bytes);
    else await this.#readStream(file, bytes);
    if (!this.#stage) throw new OffsetError("it has no schema", bytes);
    return this.#stage.finish();
  }

  async #readFile(file: Deno.FsFile, size: number): Promise<void> {
    const { schema, dictionaries, batches } = await readFooter(file, size);
    await at(size, () => this.#begin(schemaOf(schema)));
    for (const block of [...dictionaries, ...batches]) {
      await file.seek(block.offset, Deno.SeekMode.Start);
      const window = new OffsetWindow(file, block.offset + block.length, block.offset);
      const message = await nextMessage(window);
      if (message) await this.#take(message);
    }
  }

  async #readStream(file: Deno.FsFile, size: number): Promise<void> {
    await file.seek(0, Deno.SeekMode.Start);
    const window = new OffsetWindow(file, size);
    for (let message; (message = await nextMessage(window)) !== null;) await this.#take(message);
  }

  async #take(message: Message): Promise<void> {
    const { kind, header, offset } = message;
    await at(offset, () => {
      if (kind === "schema") {
        if (this.#schema) throw new Error("it has a second schema");
        return this.#begin(schemaOf(header));
      }
      if (!this.#schema) throw new Error("it begins with rows, not with a schema");
      return kind === "dictionary" ? this.#addDictionary(message) : this.#addBatch(message);
    });
  }

  #begin(schema: ArrowSchema): void {
    if (schema.fields.length === 0) throw new Error("it has no columns");
    this.#schema = schema;
    const names = uniqueNames(schema.fields.map(({ name }) => name));
    const columns = schema.fields.map((field, i) => ({
      name: names[i],
      type: columnOf(field, this.#widened),
    }));
    this.#stage = new TableStage(this.#call, columns, { isPositioned: this.#call.isCareful });
  }

  #addDictionary({ header, body, isVersion4 }: Message): void {
    const id = header.long(0, 0);
    const batch = header.table(1);
    const field = this.#schema!.dictionaries.get(id);
    if (!batch || !field) throw new Error(`a dictionary has the id ${id}, which no column has`);
    const { arrays } = arraysOf(batch, [{ ...field, dictionary: null }], {
      ...this.#body(body.slice(), isVersion4),
    });
    const isDelta = header.byte(2, 0) !== 0;
    const before = isDelta ? this.#dictionaries.get(id) ?? [] : [];
    this.#dictionaries.set(id, [...before, arrays[0]]);
  }

  #addBatch({ header, body, isVersion4 }: Message): void {
    const stage = this.#stage!;
    const { fields } = this.#schema!;
    const { rows, arrays } = arraysOf(header, fields, this.#body(body, isVersion4));
    if (rows === 0) return;
    const find: FindDictionary = (id) => {
      const found = this.#dictionaries.get(id);
      if (!found) throw new Error(`its dictionary ${id} is not before the rows that use it`);
      return found;
    };
    const emits = arrays.map((array, i) => emitRows(array, stage.nodes[i], find));
    if (this.#call.isCareful) {
      for (let row = 0; row < rows; row++) {
        for (const emit of emits) emit(row, row + 1);
        stage.endRow({ row: stage.rows + 1, offset: null, bytes: null });
      }
      return;
    }
    for (let from = 0; from < rows; from += SLICE_ROWS) {
      const to = Math.min(rows, from + SLICE_ROWS);
      for (const emit of emits) emit(from, to);
      stage.endRows(to - from);
    }
  }

  #body(bytes: Uint8Array, isVersion4: boolean): Body {
    return { bytes, isBigEndian: this.#schema!.isBigEndian, isVersion4 };
  }
}
