import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { hashPassword, parameters, verifyPassword, weakness } from "./password.ts"

describe("a password hash", () => {
  it.live(
    "verifies its password and no other, and is never the same twice",
    Effect.fnUntraced(function* () {
      const [a, b] = [yield* hashPassword("a quiet river bank"), yield* hashPassword("a quiet river bank")]
      assert.match(a, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
      assert.notStrictEqual(a, b)
      assert.deepStrictEqual(yield* verifyPassword("a quiet river bank", a), { right: true, outdated: false })
      assert.deepStrictEqual(yield* verifyPassword("a quiet river bank ", a), { right: false, outdated: false })
    })
  )

  it.live(
    "is the one other argon2 programs make",
    Effect.fnUntraced(function* () {
      // the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 256 -p 1
      const text = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
      assert.deepStrictEqual(yield* verifyPassword("password", text), { right: true, outdated: true })
    })
  )

  it.live(
    "takes composed and decomposed letters for the same",
    Effect.fnUntraced(function* () {
      const hash = yield* hashPassword("Zürich am Morgen")
      assert.isTrue((yield* verifyPassword("Zu\u0308rich am Morgen", hash)).right)
    })
  )

  it.live(
    "is wrong, not an error, when the text is no hash",
    Effect.fnUntraced(function* () {
      for (const text of ["", "none", "$argon2id$v=19$m=1,t=1,p=1$$", "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAA"]) {
        assert.isFalse((yield* verifyPassword("password", text)).right, text)
      }
    })
  )

  it.live(
    "is made off the main thread",
    Effect.fnUntraced(function* () {
      let turns = 0
      const timer = setInterval(() => turns++, 1)
      yield* Effect.all(
        Array.from({ length: 4 }, () => hashPassword("a quiet river bank")),
        { concurrency: "unbounded" }
      )
      clearInterval(timer)
      assert.isAbove(turns, 5)
      assert.strictEqual(parameters.memory, 19_456)
    })
  )
})

describe("a password", () => {
  it("is refused when it is short, common, a repetition, a run or the operator's name", () => {
    for (const [password, why] of [
      ["elevenchars", "at least 12"],
      ["x".repeat(300), "at most 256"],
      ["Password1234!", "everybody"],
      ["p@ssw0rd-2026", "everybody"],
      ["adminadmin123", "everybody"],
      ["correct horse battery staple", "everybody"],
      ["aaaaaaaaaaaaa", "repeats"],
      ["abcabcabcabca", "repeats"],
      ["123456789012", "run"],
      ["lkjhgfdsapoiuytrewq", "run"],
      ["anna2026!!anna", "name"],
      ["annaannaanna1", "name"]
    ] as const) {
      assert.include(weakness(password, "anna") ?? "taken", why, password)
    }
  })

  it("is taken for its length alone, whatever it is made of", () => {
    for (const password of ["a quiet river bank", "oslo berlin rome", "пароль длинный очень", "😀🚀🐙🦊🌵🍋🎈🎻🧊🪐🧭🪁"]) {
      assert.isUndefined(weakness(password, "anna"), password)
    }
  })
})
