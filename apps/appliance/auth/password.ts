/**
 * Passwords: argon2id with the parameters that OWASP's Password Storage Cheat Sheet asks for, written into the hash text so that they
 * can be raised later without locking anybody out. Hashing runs on the thread pool, two at a time: each takes 19 MiB and some 30 ms.
 */
import { argon2, randomBytes, timingSafeEqual } from "node:crypto"
import { Effect, Semaphore } from "effect"
import { commonPasswords } from "./common-passwords.ts"

interface Parameters {
  /** KiB */
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

export const parameters: Parameters = { memory: 19_456, passes: 2, parallelism: 1 }
const tagLength = 32

/** Takes no more at a time, so that a flood of logins cannot hold the thread pool or the memory. */
const turns = Semaphore.makeUnsafe(2)

/** RFC 9106 §3.1, type 2. NFKC, so that one keyboard's text is another's (NIST SP 800-63B-4 §3.1.1.2). */
const derive = (password: string, salt: Buffer, { memory, passes, parallelism }: Parameters, length: number) =>
  turns.withPermit(
    Effect.callback<Buffer>((resume) => {
      argon2(
        "argon2id",
        { message: password.normalize("NFKC"), nonce: salt, parallelism, tagLength: length, memory, passes },
        (error, key) => resume(error === null ? Effect.succeed(Buffer.from(key)) : Effect.die(error))
      )
    })
  )

const unpadded = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "")

/** `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, the text form that other argon2 programs read. */
export const hashPassword = (password: string): Effect.Effect<string> =>
  Effect.gen(function* () {
    const salt = randomBytes(16)
    const key = yield* derive(password, salt, parameters, tagLength)
    const { memory, passes, parallelism } = parameters
    return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(key)}`
  })

export interface Verdict {
  readonly right: boolean
  /** Right, but made with other parameters than today's: hash it anew. */
  readonly outdated: boolean
}

const form = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{22,128})$/

/** A text that is no hash is a wrong password, and takes as long as one. */
export const verifyPassword = (password: string, hashText: string): Effect.Effect<Verdict> =>
  Effect.gen(function* () {
    const found = form.exec(hashText)
    if (found === null) {
      yield* derive(password, randomBytes(16), parameters, tagLength)
      return { right: false, outdated: false }
    }
    const [memory, passes, parallelism] = [Number(found[1]), Number(found[2]), Number(found[3])]
    const expected = Buffer.from(found[5]!, "base64")
    const key = yield* derive(password, Buffer.from(found[4]!, "base64"), { memory, passes, parallelism }, expected.length)
    const right = timingSafeEqual(key, expected)
    const same = memory === parameters.memory && passes === parameters.passes && parallelism === parameters.parallelism
    return { right, outdated: right && !same }
  })

/** What an unknown name is checked against, so that it takes as long as a known one. */
export const noPassword = "none"

const runs = [
  "abcdefghijklmnopqrstuvwxyz",
  "0123456789",
  "1234567890",
  "qwertyuiopasdfghjklzxcvbnm",
  "qwertzuiopasdfghjklyxcvbnm",
  "1qaz2wsx3edc4rfv"
]

const isRun = (text: string) => {
  const backwards = [...text].reverse().join("")
  return runs.some((run) => `${run}${run}`.includes(text) || `${run}${run}`.includes(backwards))
}

const isRepetition = (text: string) => {
  for (let unit = 1; unit <= 4; unit++) {
    if (
      text ===
      text
        .slice(0, unit)
        .repeat(Math.ceil(text.length / unit))
        .slice(0, text.length)
    )
      return true
  }
  return false
}

/** Why a password is not taken, or undefined. Length counts, composition rules do not (NIST SP 800-63B-4 §3.1.1.2). */
export const weakness = (password: string, operatorName: string): string | undefined => {
  const text = password.normalize("NFKC")
  const length = [...text].length
  if (length < 12) return `it needs at least 12 characters and has ${length}`
  if (length > 256) return `it may have at most 256 characters and has ${length}`
  const lower = text.toLowerCase()
  if (commonPasswords.has(lower)) return "it is one that everybody tries first"
  if (isRepetition(lower)) return "it repeats one to four characters"
  if (isRun(lower)) return "it is a run of neighbouring characters"
  const name = operatorName.toLowerCase()
  if (name !== "" && lower.includes(name) && lettersWithout(lower, [name]) < 4) return "it is little more than the operator's name"
  if (commonWords.some((word) => lower.includes(word)) && lettersWithout(lower, commonWords) < 4) {
    return "it is little more than a word that everybody tries first"
  }
  return undefined
}

/** Words that passwords are padded from, in the spelling with letters and the usual digits for them. */
const commonWords = [
  "password",
  "passwort",
  "passw0rd",
  "p@ssw0rd",
  "p@ssword",
  "pa55word",
  "administrator",
  "admin",
  "welcome",
  "letmein",
  "qwerty",
  "changeme",
  "secret",
  "flowlens",
  "iloveyou",
  "root"
]

const lettersWithout = (text: string, words: ReadonlyArray<string>) =>
  words.reduce((rest, word) => rest.replaceAll(word, ""), text).replace(/[^\p{L}]/gu, "").length
