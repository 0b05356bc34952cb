/** @module Names of elements and attributes, with the namespaces that they are in. */

/** A name. Two are the same when they are the same object. */
export interface XmlName {
  /** Without its prefix. */
  local: string;
  /** As it was first met; empty for none. */
  prefix: string;
  /** Of its namespace; empty for none. */
  uri: string;
}

const XML = "http://www.w3.org/XML/1998/namespace";
const XMLNS = "http://www.w3.org/2000/xmlns/";

/** Different names of a document, and different sets of namespaces in it, at most. */
const NAMES_MAX = 200_000;
const SCOPES_MAX = 20_000;

/** All names of one document, each once. */
export class NameTable {
  readonly #names = new Map<string, XmlName>();
  /** Sets of namespaces until now. */
  scopes = 0;

  /** Names until now. */
  get size(): number {
    return this.#names.size;
  }

  /** The name; its prefix is kept when it is new. */
  name(uri: string, local: string, prefix: string): XmlName {
    const key = `${uri}\n${local}`;
    let name = this.#names.get(key);
    if (name === undefined) this.#names.set(key, name = { local, prefix, uri });
    return name;
  }
}

/** What prefixes mean inside of an element. */
export class NamespaceScope {
  readonly #table: NameTable;
  readonly #uris: ReadonlyMap<string, string>;
  readonly #isDeclared: boolean;
  readonly #elements = new Map<string, XmlName>();
  readonly #attributes = new Map<string, XmlName>();
  readonly #inner = new Map<string, NamespaceScope>();

  constructor(
    table: NameTable,
    uris: ReadonlyMap<string, string> = new Map([["xml", XML]]),
    isDeclared = false,
  ) {
    this.#table = table;
    this.#uris = uris;
    this.#isDeclared = isDeclared;
  }

  /** The name of an element. Throws by `fail` when its prefix means nothing. */
  element(qname: string, fail: (why: string) => never): XmlName {
    let name = this.#elements.get(qname);
    if (name === undefined) {
      name = this.#resolve(qname, this.#uris.get("") ?? "", fail);
      this.#elements.set(qname, name);
    }
    return name;
  }

  /** The name of an attribute. */
  attribute(qname: string, fail: (why: string) => never): XmlName {
    let name = this.#attributes.get(qname);
    if (name === undefined) {
      name = this.#resolve(qname, "", fail);
      this.#attributes.set(qname, name);
    }
    return name;
  }

  /** The scope inside of an element with these attributes: names and values in turn. */
  within(attributes: readonly string[], is11: boolean, fail: (why: string) => never) {
    let key = "";
    for (let i = 0; i < attributes.length; i += 2) {
      if (isDeclaration(attributes[i])) key += `${attributes[i]}\n${attributes[i + 1]}\n`;
    }
    if (key === "") return this;
    let scope = this.#inner.get(key);
    if (scope === undefined) {
      if (++this.#table.scopes > SCOPES_MAX) {
        fail(`it declares more than ${SCOPES_MAX} different sets of namespaces`);
      }
      const uris = new Map(this.#uris);
      for (let i = 0; i < attributes.length; i += 2) {
        if (!isDeclaration(attributes[i])) continue;
        const prefix = attributes[i].slice(6);
        const uri = attributes[i + 1];
        checkDeclaration(prefix, uri, is11, fail);
        if (uri === "" && prefix !== "") uris.delete(prefix);
        else uris.set(prefix, uri);
      }
      scope = new NamespaceScope(this.#table, uris, true);
      this.#inner.set(key, scope);
    }
    return scope;
  }

  /** The namespace of a prefix; undefined for one that means nothing. */
  uri(prefix: string): string | undefined {
    return this.#uris.get(prefix);
  }

  #resolve(qname: string, defaultUri: string, fail: (why: string) => never): XmlName {
    if (this.#table.size >= NAMES_MAX) fail(`it has more than ${NAMES_MAX} different names`);
    const colon = qname.indexOf(":");
    if (colon < 0) return this.#table.name(defaultUri, qname, "");
    const prefix = qname.slice(0, colon);
    const local = qname.slice(colon + 1);
    if (prefix === "" || local === "" || local.includes(":") || /^[\d.\-\u00b7]/.test(local)) {
      // A document without namespaces may name things as it likes.
      if (!this.#isDeclared) return this.#table.name("", qname, "");
      fail(`"${qname}" is no name of a document with namespaces`);
    }
    const uri = this.#uris.get(prefix);
    if (uri === undefined) {
      fail(`the prefix "${prefix}" of "${qname}" is bound to no namespace`);
    }
    return this.#table.name(uri, local, prefix);
  }
}

/** Does an attribute of this name declare a namespace? */
export function isDeclaration(qname: string): boolean {
  return qname.startsWith("xmlns") && (qname.length === 5 || qname[5] === ":");
}

function checkDeclaration(
  prefix: string,
  uri: string,
  is11: boolean,
  fail: (why: string) => never,
): void {
  if (prefix === "xmlns" || uri === XMLNS) fail("xmlns itself is declared as a namespace");
  if ((prefix === "xml") !== (uri === XML)) {
    fail(`the prefix "${prefix}" is bound to "${uri}"; "xml" alone means ${XML}`);
  }
  if (uri === "" && prefix !== "" && !is11) {
    fail(`the prefix "${prefix}" is bound to nothing, which XML 1.0 does not allow`);
  }
}

/** The first name that comes twice among names and values in turn; null when none does. */
export function twiceIn(attributes: readonly (XmlName | string)[]): string | null {
  const { length } = attributes;
  const nameAt = (i: number) => {
    const name = attributes[i];
    return typeof name === "string" ? name : name.local;
  };
  if (length > 32) {
    const seen = new Set();
    for (let i = 0; i < length; i += 2) {
      if (seen.has(attributes[i])) return nameAt(i);
      seen.add(attributes[i]);
    }
    return null;
  }
  for (let i = 2; i < length; i += 2) {
    for (let k = 0; k < i; k += 2) if (attributes[k] === attributes[i]) return nameAt(i);
  }
  return null;
}
