/** @module Codes of the signs that markup is made of. */

export const LESS = 0x3c;
export const GREATER = 0x3e;
export const AMPERSAND = 0x26;
export const SLASH = 0x2f;
export const EXCLAMATION = 0x21;
export const QUESTION = 0x3f;
export const HASH = 0x23;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const DOUBLE_QUOTE = 0x22;
export const SINGLE_QUOTE = 0x27;
export const CLOSING_BRACKET = 0x5d;
export const CARRIAGE_RETURN = 0x0d;
