/** Secrets that we make ourselves: 256 random bits as text, kept only as their SHA-256. */
import { createHash, randomBytes, randomInt, timingSafeEqual } from "node:crypto"

/** 43 characters of base64url: 256 bits. */
export const randomSecret = (): string => randomBytes(32).toString("base64url")

/** Hex. A fast hash will do: nobody guesses 256 random bits. */
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

export const sameSecret = (a: string, b: string): boolean =>
  timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest())

const tokenPrefix = "fl_"

/** A bearer token, e.g. `fl_` and 43 characters: the prefix lets scanners of leaked secrets find it. */
export const newToken = (): string => tokenPrefix + randomSecret()

export const isToken = (text: string): boolean => /^fl_[A-Za-z0-9_-]{43}$/.test(text)

/** Without 0, 1, I, L, O, U: people read it from one screen and type it on another. */
const letters = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

/** `XXXX-XXXX-XXXX-XXXX`: 78 bits, tried at most a few times a minute. */
export const newSetupCode = (): string =>
  Array.from({ length: 4 }, () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join("")).join("-")

/** What was typed, as it was printed: case, spaces and dashes do not matter. */
export const normaliseSetupCode = (text: string): string => text.toUpperCase().replace(/[^0-9A-Z]/g, "")
