/**
 * @module Lists, structs and maps in JSON and back, every value in them by the same encoding as those
 * of columns: no number goes through a double, what does not fit exactly is no value.
 */
import { ident, literal } from "../../../table/sql.ts";

/** A type with its parts. */
export type TypeTree =
  | { kind: "plain"; sql: string }
  | { kind: "list"; of: TypeTree }
  | { kind: "struct"; fields: { name: string; type: TypeTree }[] }
  | { kind: "map"; key: TypeTree; value: TypeTree };

/** The parts of a type's SQL name; null for one that has others than lists, structs and maps. */
export function typeTree(sql: string): TypeTree | null {
  const parser = new TypeParser(sql);
  const tree = parser.type();
  return parser.isDone ? tree : null;
}

class TypeParser {
  readonly #tokens: string[];
  #at = 0;

  constructor(sql: string) {
    this.#tokens = sql.match(/"(?:[^"]|"")*"|[(),[\]]|[^\s"(),[\]]+/g) ?? [];
  }

  get isDone(): boolean {
    return this.#at === this.#tokens.length;
  }

  type(): TypeTree | null {
    let tree = this.#primary();
    while (tree && this.#is("[")) {
      // Of a list of a fixed length, that is left out.
      if (!this.#is("]")) return null;
      tree = { kind: "list", of: tree };
    }
    return tree;
  }

  #primary(): TypeTree | null {
    const name = this.#next();
    switch (name?.toUpperCase()) {
      case "STRUCT":
        return this.#struct();
      case "MAP": {
        if (!this.#is("(")) return null;
        const key = this.type();
        const comma = this.#is(",");
        const value = this.type();
        return key && comma && value && this.#is(")") ? { kind: "map", key, value } : null;
      }
      case "UNION":
      case undefined:
        return null;
    }
    let sql = name!;
    while (/^[A-Za-z]/.test(this.#tokens[this.#at] ?? "")) sql += ` ${this.#next()}`;
    if (this.#tokens[this.#at] === "(") {
      const end = this.#tokens.indexOf(")", this.#at);
      if (end < 0) return null;
      sql += this.#tokens.slice(this.#at, end + 1).join("");
      this.#at = end + 1;
    }
    return { kind: "plain", sql };
  }

  #struct(): TypeTree | null {
    const fields: { name: string; type: TypeTree }[] = [];
    if (!this.#is("(")) return null;
    do {
      const name = this.#next();
      const type = this.type();
      if (name === undefined || !type) return null;
      fields.push({ name: name.replace(/^"(.*)"$/s, "$1").replaceAll('""', '"'), type });
    } while (this.#is(","));
    return this.#is(")") ? { kind: "struct", fields } : null;
  }

  #is(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #next(): string | undefined {
    return this.#tokens[this.#at++];
  }
}

/** The JSON text of a value `v`; null where it is null. `plain` writes what has no parts. */
export function nestedJson(
  tree: TypeTree,
  v: string,
  plain: (v: string, sql: string) => string,
  depth = 0,
): string {
  const inner = (type: TypeTree, value: string) =>
    `coalesce(${nestedJson(type, value, plain, depth + 1)}, 'null')`;
  const list = (values: string, element: string) =>
    `('[' || array_to_string(list_transform(${values}, lambda _tw_e${depth}: ${element}), ',') || ']')`;
  switch (tree.kind) {
    case "plain":
      return plain(v, tree.sql);
    case "list":
      return list(v, inner(tree.of, `_tw_e${depth}`));
    case "map": {
      const entry = `'{"key":' || ${inner(tree.key, `_tw_e${depth}.key`)} || ',"value":' || ` +
        `${inner(tree.value, `_tw_e${depth}.value`)} || '}'`;
      return list(`map_entries(${v})`, entry);
    }
    case "struct": {
      const members = tree.fields.map(({ name, type }) =>
        `${literal(`${JSON.stringify(name)}:`)} || ${inner(type, `(${v}).${ident(name)}`)}`
      );
      return `CASE WHEN ${v} IS NOT NULL THEN '{' || ${members.join(" || ',' || ")} || '}' END`;
    }
  }
}

/** Reads a plain value from its text: the value, and whether it is it exactly. */
export type PlainCast = (x: string, sql: string) => { value: string; exact: string };

/**
 * A value of JSON text `x`: null where it is not of the type, or not exactly. Numbers are made texts
 * before the engine parses, which would make doubles of them; control characters, which JSON texts
 * cannot have in them, mark where they were.
 */
export function nestedValue(tree: TypeTree, x: string, plain: PlainCast): string {
  const tokens = `("(?:[^"\\\\]|\\\\.)*")|(-?[0-9][0-9.eE+-]*)`;
  const marked = `regexp_replace(${x}, ${
    literal(tokens)
  }, '\\1' || chr(1) || '\\2' || chr(2), 'g')`;
  const texts =
    `replace(replace(replace(${marked}, chr(1) || chr(2), ''), chr(1), '"'), chr(2), '"')`;
  // Strictly, but told each time: a row that is none must not end the others.
  const parsed = `TRY(from_json_strict(${texts}, ${literal(structure(tree))}))`;
  const { value, exact, members } = castParts(tree, "_tw_t", plain, 0);
  // The engine leaves out members that the type does not have: as many must be there as were written.
  const names = `len(list_filter(regexp_extract_all(${x}, ${
    literal('"(?:[^"\\\\]|\\\\.)*"(\\s*:)?')
  }, 1), lambda _tw_s: _tw_s <> ''))`;
  const test = `${exact} AND ${members} = ${names}`;
  const converted =
    `list_transform([${parsed}], lambda _tw_t: CASE WHEN ${test} THEN ${value} END)[1]`;
  return `CASE WHEN json_valid(${x}) THEN ${converted} END`;
}

function structure(tree: TypeTree): string {
  switch (tree.kind) {
    case "plain":
      return '"VARCHAR"';
    case "list":
      return `[${structure(tree.of)}]`;
    case "map":
      return `[{"key":${structure(tree.key)},"value":${structure(tree.value)}}]`;
    case "struct":
      return `{${
        tree.fields.map(({ name, type }) => `${JSON.stringify(name)}:${structure(type)}`).join(",")
      }}`;
  }
}

/** Of a value of texts: as it is to be, whether it is that exactly, and how many members it has. */
function castParts(
  tree: TypeTree,
  t: string,
  plain: PlainCast,
  depth: number,
): { value: string; exact: string; members: string } {
  const sum = (list: string, count: string) =>
    `coalesce(list_sum(list_transform(${list}, lambda _tw_p${depth}: ${count})), 0)`;
  const all = (list: string, test: string) =>
    `coalesce(list_bool_and(list_transform(${list}, lambda _tw_p${depth}: ${test})), true)`;
  switch (tree.kind) {
    case "plain": {
      const { value, exact } = plain(t, tree.sql);
      return { value, exact: `(${t} IS NULL OR ${exact})`, members: "0" };
    }
    case "list": {
      const part = castParts(tree.of, `_tw_p${depth}`, plain, depth + 1);
      return {
        value: `list_transform(${t}, lambda _tw_p${depth}: ${part.value})`,
        exact: all(t, part.exact),
        members: sum(t, part.members),
      };
    }
    case "map": {
      const key = castParts(tree.key, `_tw_p${depth}.key`, plain, depth + 1);
      const value = castParts(tree.value, `_tw_p${depth}.value`, plain, depth + 1);
      return {
        value: `map_from_entries(list_transform(${t}, lambda _tw_p${depth}: ` +
          `struct_pack(key := ${key.value}, value := ${value.value})))`,
        exact: all(t, `(${key.exact} AND ${value.exact} AND _tw_p${depth}.key IS NOT NULL)`),
        members: sum(t, `(2 + ${key.members} + ${value.members})`),
      };
    }
    case "struct": {
      const parts = tree.fields.map(({ name, type }) => ({
        name,
        ...castParts(type, `(${t}).${ident(name)}`, plain, depth + 1),
      }));
      return {
        value: `CASE WHEN ${t} IS NOT NULL THEN struct_pack(${
          parts.map(({ name, value }) => `${ident(name)} := ${value}`).join(", ")
        }) END`,
        exact: `(${t} IS NULL OR (${parts.map(({ exact }) => exact).join(" AND ")}))`,
        members: `CASE WHEN ${t} IS NULL THEN 0 ELSE ${
          [parts.length, ...parts.map(({ members }) => members)].join(" + ")
        } END`,
      };
    }
  }
}
