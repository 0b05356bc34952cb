/** @module The form of a text without its content, for those who may not read it. */

/** Letters and digits as what they are: `Ab-12` becomes `Xx-##`. */
export function formOf(text: string): string {
  return text.replace(/\p{Lu}/gu, "X").replace(/(?!X)\p{L}/gu, "x").replace(/\p{N}/gu, "#");
}
