import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { completeFilter, parseFilter } from "./filter.ts"
import { filterFields, readNetwork } from "./filter-fields.ts"

const terms = (line: string, subject: "asset" | "dependency" = "dependency") => {
  const parsed = parseFilter(line, subject)
  return Result.isSuccess(parsed)
    ? parsed.success.map(({ negated, condition }) => ({ negated, ...condition }))
    : [parsed.failure.position, parsed.failure.expected]
}

describe("parseFilter", () => {
  it("reads every kind of term", () => {
    assert.deepStrictEqual(
      terms('web type:db seen:<1h port:5432 service:postgresql 10.2.0.0/16 internal:yes confidence:>0.8 blind:no -tag:"a b"'),
      [
        { negated: false, kind: "word", text: "web" },
        { negated: false, kind: "type", types: ["database"] },
        { negated: false, kind: "age", field: "seen", compare: "<", seconds: 3600 },
        { negated: false, kind: "port", from: 5432, to: 5432 },
        { negated: false, kind: "text", field: "service", text: "postgresql" },
        { negated: false, kind: "network", network: "10.2.0.0/16", end: "any" },
        { negated: false, kind: "internal", internal: true },
        { negated: false, kind: "number", field: "confidence", compare: ">", value: 0.8 },
        { negated: false, kind: "blind", blind: false },
        { negated: true, kind: "text", field: "tag", text: "a b" }
      ]
    )
  })

  it("takes an IPv6 address for what it is, and not for a key", () => {
    assert.deepStrictEqual(terms("fe80::1 2001:DB8::/32"), [
      { negated: false, kind: "network", network: "fe80::1", end: "any" },
      { negated: false, kind: "network", network: "2001:db8::/32", end: "any" }
    ])
  })

  it("says where it stopped understanding, and what it expected there", () => {
    assert.deepStrictEqual(terms("web port:http"), [9, "a port or a range such as 8000-8999"])
    assert.deepStrictEqual(terms('name:"abc'), [5, "a closing quote"])
    assert.deepStrictEqual(terms("blind:maybe"), [6, "yes or no"])
    assert.deepStrictEqual(terms("blind:yes", "asset")[0], 0)
    assert.deepStrictEqual(terms("port:"), [5, "a port or a range such as 8000-8999"])
    assert.deepStrictEqual(terms("port:90-80"), [5, "a port or a range such as 8000-8999"])
    const [position, expected] = terms("colour:red", "asset")
    assert.strictEqual(position, 0)
    assert.include(String(expected), "type:")
    assert.notInclude(String(expected), "client:")
    assert.deepStrictEqual(terms(`${"a ".repeat(600)}`)[0], 1000)
  })

  it("reads the beginning of an address that ends with a dot as a network", () => {
    assert.deepStrictEqual(
      ["10.", "10.2.", "10.2.3.", "10.2.3.4", "10.2.3.4/24", "10.2", "300.", "10.2.3.4/33", "::1/129"].map(readNetwork),
      ["10.0.0.0/8", "10.2.0.0/16", "10.2.3.0/24", "10.2.3.4", "10.2.3.4/24", undefined, undefined, undefined, undefined]
    )
  })

  it.prop("reads or refuses any line, with a position inside it", [Schema.String], ([line]) => {
    for (const subject of ["asset", "dependency"] as const) {
      const parsed = parseFilter(line, subject)
      const positions = Result.isSuccess(parsed) ? parsed.success.map((term) => term.position) : [parsed.failure.position]
      for (const position of positions) assert.isTrue(position >= 0 && position <= line.length)
    }
  })

  it("accepts every value that completion offers", () => {
    for (const field of filterFields) {
      for (const subject of field.subjects) {
        for (const value of field.values)
          assert.isTrue(Result.isSuccess(parseFilter(`${field.key}:${value}`, subject)), `${field.key}:${value}`)
      }
    }
  })
})

describe("completeFilter", () => {
  it("offers keys, then values, for the word at the cursor", () => {
    assert.deepStrictEqual(
      completeFilter("web -ty", 7, "asset").map(({ text, from }) => [text, from]),
      [["type:", 5]]
    )
    assert.deepStrictEqual(
      completeFilter("type:data", 9, "asset").map(({ text, from }) => [text, from]),
      [["database", 5]]
    )
    assert.deepStrictEqual(completeFilter("client:", 7, "asset"), [])
  })
})
