/** Completions of the filter line: the grammar's keys, and the values that are known without asking. */
import { assetTypes, families } from "#domain/AssetFamily.ts"
import { type Suggestion, wordAt } from "./ui/net-filter.ts"

interface Word {
  readonly key: string
  readonly detail: string
  readonly values?: ReadonlyArray<readonly [value: string, detail: string]>
}

const types = Object.entries(assetTypes).map(([value, { label }]) => [value, label] as const)

export const filterWords: ReadonlyArray<Word> = [
  { key: "type", detail: "asset type or family", values: [...types, ...families.map((family) => [family, "family"] as const)] },
  {
    key: "seen",
    detail: "last seen within or before",
    values: [
      ["<5m", "within five minutes"],
      ["<1h", "within an hour"],
      ["<1d", "within a day"],
      [">1h", "not for an hour"],
      [">7d", "not for seven days"]
    ]
  },
  {
    key: "port",
    detail: "server port",
    values: [
      ["443", "https"],
      ["22", "ssh"],
      ["53", "dns"],
      ["5432", "postgresql"]
    ]
  },
  {
    key: "protocol",
    detail: "transport",
    values: [
      ["tcp", ""],
      ["udp", ""],
      ["icmp", ""]
    ]
  },
  {
    key: "state",
    detail: "state of a dependency",
    values: [
      ["active", "seen lately"],
      ["stale", "not seen for a while"],
      ["weak", "too little evidence"]
    ]
  },
  {
    key: "internal",
    detail: "inside the declared ranges",
    values: [
      ["yes", "inside"],
      ["no", "outside"]
    ]
  },
  { key: "name", detail: "part of a name" },
  { key: "tag", detail: "a tag" },
  { key: "env", detail: "environment" }
]

export const completeFilter = (text: string, caret: number): ReadonlyArray<Suggestion> => {
  const [start] = wordAt(text, caret)
  const word = text.slice(start, caret)
  const colon = word.indexOf(":")
  if (colon < 0) {
    return filterWords
      .filter((one) => one.key.startsWith(word.toLowerCase()))
      .map((one) => ({ text: `${one.key}:`, detail: one.detail, open: true }))
  }
  const key = word.slice(0, colon)
  const typed = word.slice(colon + 1).toLowerCase()
  const known = filterWords.find((one) => one.key === key)?.values ?? []
  return known
    .filter(([value, detail]) => value.startsWith(typed) || (typed !== "" && detail.startsWith(typed)))
    .map(([value, detail]) => ({ text: `${key}:${value}`, detail }))
}
