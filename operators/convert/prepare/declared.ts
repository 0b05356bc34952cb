/** @module The encoding that a text says it has: in XML, HTML, and OFX's header. */

/** The label that the text's beginning gives, or null; it may be none of an encoding. */
export function declaredEncoding(head: Uint8Array): string | null {
  const text = new TextDecoder("windows-1252").decode(head.subarray(0, 4096));
  const xml = /^\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)["']/.exec(text);
  if (xml) return xml[1];
  if (/^\s*OFXHEADER:/.test(text)) return ofxEncoding(text);
  const meta = /<meta\s[^>]{0,200}?charset\s*=\s*["']?([\w.:-]+)/i.exec(text);
  return meta?.[1] ?? null;
}

function ofxEncoding(text: string): string | null {
  const encoding = /^ENCODING:\s*(\S+)/m.exec(text)?.[1].toUpperCase() ?? null;
  if (encoding !== "USASCII") return encoding === "UNICODE" ? "utf-8" : encoding;
  const charset = /^CHARSET:\s*(\S+)/m.exec(text)?.[1] ?? "NONE";
  return /^\d+$/.test(charset) ? `windows-${charset}` : charset === "NONE" ? null : charset;
}
