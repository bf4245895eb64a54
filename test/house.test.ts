/** Who may import whom. A failure says the rule in a sentence; the reasons stand in docs/design.md. */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { dirname, join, posix } from "node:path"
import { assert, describe, it } from "vitest"

const root = join(import.meta.dirname, "..")
const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "--", "*.ts"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((path) => path !== "")
const text = new Map(
  files.flatMap((path) => {
    try {
      return [[path, readFileSync(join(root, path), "utf8")] as const]
    } catch {
      return []
    }
  })
)

interface Import {
  readonly from: string
  readonly to: string
  /** Nothing is left of it when the program runs. */
  readonly isType: boolean
}

/** Import targets as repository paths (`libs/domain/Asset.ts`) or bare specifiers (`effect/rpc`, `node:fs`). */
const imports: ReadonlyArray<Import> = [...text].flatMap(([from, source]) =>
  [
    ...source.matchAll(
      /(?:^|\n)\s*(?:import|export)\s[^"'`]*?from\s*"([^"]+)"|(?:^|\n)\s*import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/g
    )
  ].map((m) => {
    const to = (m[1] ?? m[2] ?? m[3])!
    const isType = /^\s*(import|export) type\b/.test(m[0])
    if (to.startsWith(".")) return { from, to: posix.normalize(posix.join(dirname(from), to)), isType }
    return { from, to: to.replace(/^#(domain|pipeline|probes)\//, "libs/$1/"), isType }
  })
)

const isTest = (path: string) => /\.(test|fixture)\.ts$/.test(path) || path.startsWith("test/")
const production = imports.filter((i) => !isTest(i.from))
const under = (path: string, ...rooms: ReadonlyArray<string>) => rooms.some((room) => path === room || path.startsWith(`${room}/`))
const bare = (path: string, ...packages: ReadonlyArray<string>) =>
  packages.some((name) => path === name || path.startsWith(`${name}/`))
const pipeline = "libs/pipeline"
const pure = ["decode", "graph", "classify", "report", "resolve/collapse"].map((room) => `${pipeline}/${room}`)
const stages = ["ingest", "enrich", "window", "resolve", "change", "monitor", "alert", "notify", "mitigation"].map(
  (room) => `${pipeline}/${room}`
)

const forbid = (rule: string, wrong: (i: Import) => boolean) =>
  it(rule, () => {
    const found = production.filter(wrong).map((i) => `${i.from} imports ${i.to}`)
    assert.deepStrictEqual(found, [], `${rule}:\n  ${found.join("\n  ")}`)
  })

describe("the house", () => {
  forbid(
    "libs/domain imports effect only: it runs in the browser too",
    (i) => under(i.from, "libs/domain") && !under(i.to, "libs/domain") && !bare(i.to, "effect")
  )

  forbid(
    "libs/pipeline/actor imports effect only, and the domain's words for what it reports",
    (i) => under(i.from, `${pipeline}/actor`) && !under(i.to, `${pipeline}/actor`, "libs/domain") && !bare(i.to, "effect")
  )

  forbid("a pure room imports the domain and itself: no store, no socket, the time is an argument", (i) => {
    const room = pure.find((p) => under(i.from, p))
    return room !== undefined && !under(i.to, room, "libs/domain") && !bare(i.to, "effect")
  })

  forbid("a stage never imports another stage: stages meet only in a corridor", (i) => {
    const room = stages.find((s) => under(i.from, s))
    return room !== undefined && stages.some((s) => s !== room && under(i.to, s))
  })

  forbid("a stage imports the domain, actor, store, pure rooms and itself", (i) => {
    const room = stages.find((s) => under(i.from, s))
    if (room === undefined || under(i.to, room, "libs/domain", `${pipeline}/actor`, `${pipeline}/store`, ...pure)) return false
    return i.to.startsWith("libs/") || i.to.startsWith("apps/")
  })

  forbid(
    "libs/pipeline/store imports the domain, effect and the PostgreSQL driver",
    (i) =>
      under(i.from, `${pipeline}/store`) &&
      !under(i.to, `${pipeline}/store`, "libs/domain") &&
      !bare(i.to, "effect", "@effect/sql-pg")
  )

  forbid(
    "inside libs/pipeline node:* appears only where bytes meet the machine",
    (i) =>
      under(i.from, pipeline) &&
      i.to.startsWith("node:") &&
      !["ingest/UdpListener.ts", "window/Spool.ts", "enrich/GeoIp.ts", "notify/email.ts"].some(
        (f) => i.from === `${pipeline}/${f}`
      ) &&
      !under(i.from, `${pipeline}/mitigation/gobgp`)
  )

  forbid("nothing in libs imports an app", (i) => under(i.from, "libs") && under(i.to, "apps"))

  forbid(
    "the console imports the domain, lit, effect, its canvas and itself: never the appliance, never node:*",
    (i) =>
      under(i.from, "apps/console/src") &&
      !under(i.to, "apps/console/src", "libs/domain") &&
      !bare(
        i.to,
        "effect",
        "lit",
        "vis-network",
        "vis-data",
        "@tanstack/lit-virtual",
        "@fontsource/ibm-plex-sans-condensed",
        "@fontsource/ibm-plex-mono",
        "vite"
      )
  )

  forbid("what runs imports nothing that is for tests", (i) => isTest(i.to))

  const worker = new Set(["apps/appliance/flow-worker.ts"])
  for (const path of worker) for (const { from, isType, to } of imports) if (from === path && !isType) worker.add(to)
  forbid("the flow worker loads no package: effect alone takes 40 MB of its 120", (i) => {
    const isPackage = !/^(libs|apps)\/|^node:/.test(i.to)
    return isPackage && !i.isType && worker.has(i.from)
  })

  it("no file is longer than 350 lines, tables excepted: past that there is a second idea in it", () => {
    const long = [...text]
      .filter(
        ([path, source]) =>
          !/(elements|ports|services|tokens|world)\.ts$/.test(path) && !isTest(path) && source.split("\n").length > 351
      )
      .map(([path, s]) => `${path}: ${s.split("\n").length}`)
    assert.deepStrictEqual(long, [])
  })

  it("no unfinished mark is left in the code", () => {
    const mark = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`)
    assert.deepStrictEqual(
      [...text].filter(([, source]) => mark.test(source)).map(([path]) => path),
      []
    )
  })

  it("every dependency has its line in docs/dependencies.md, and an exact version", () => {
    const pkg = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    const page = readFileSync(join(root, "docs/dependencies.md"), "utf8")
    for (const group of ["dependencies", "devDependencies", "optionalDependencies"]) {
      for (const [name, version] of Object.entries<string>(pkg[group])) {
        assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, `${name} is not pinned exactly`)
        assert.include(page, `\`${name}\``, `${name} has no line in docs/dependencies.md`)
      }
    }
  })
})
