import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Redacted, Result } from "effect"
import { knobsOf, variableOf } from "./config/resolve.ts"
import { configTable, loadConfig, resolveConfig } from "./config.ts"

type Env = Record<string, string>

const resolved = (fileText: string | undefined, env: Env = {}) => {
  const result = resolveConfig({ fileText, filePath: "flowlens.yaml", env })
  return Result.isSuccess(result) ? result.success : assert.fail(result.failure.map((one) => one.message).join("\n"))
}

const problems = (fileText: string | undefined, env: Env = {}) => {
  const result = resolveConfig({ fileText, filePath: "flowlens.yaml", env })
  return Result.isFailure(result) ? result.failure : assert.fail("accepted")
}

const messages = (fileText: string | undefined, env: Env = {}) => problems(fileText, env).map((one) => one.message)

/** `a.b.c` and a YAML value → a file in which line 1 is a comment and the last line sets the knob. */
const fileWith = (knob: string, value: string): string => {
  const keys = knob.split(".")
  return ["# of this site", ...keys.map((key, i) => `${"  ".repeat(i)}${key}:${i === keys.length - 1 ? ` ${value}` : ""}`)].join(
    "\n"
  )
}

const lineOf = (knob: string) => knob.split(".").length + 1

const at = (config: unknown, knob: string): unknown =>
  knob.split(".").reduce((value, key) => (value as Record<string, unknown>)[key], config)

const plain = (value: unknown) => (Redacted.isRedacted(value) ? Redacted.value(value) : value)

/** Every knob: a good value in the file, what it becomes, the same as a variable, and bad ones of each kind. */
const knobs: Readonly<Record<string, { file: string; value: unknown; text?: string; badFile: string; badText: string }>> = {
  data: { file: "/srv/flowlens", value: "/srv/flowlens", badFile: "[]", badText: "" },
  "api.host": { file: "127.0.0.1", value: "127.0.0.1", badFile: "localhost", badText: "10.0.0" },
  "api.port": { file: "9443", value: 9443, badFile: "65536", badText: "https" },
  "api.websocket.ping_seconds": { file: "10", value: 10, badFile: "0", badText: "1.5" },
  "api.websocket.max_connections": { file: "10", value: 10, badFile: '"10"', badText: "-1" },
  "api.pagination.default": { file: "20", value: 20, badFile: "0", badText: "all" },
  "api.pagination.maximum": { file: "500", value: 500, badFile: "1e9", badText: "1e3" },
  "database.url": {
    file: "postgresql://lens:s3cret@db:5432/lens",
    value: "postgresql://lens:s3cret@db:5432/lens",
    badFile: "mysql://u:hunter2@db/x",
    badText: "hunter2"
  },
  "ingestion.bind_address": { file: '"::1"', value: "::1", text: "::1", badFile: "eth0", badText: "*" },
  "ingestion.netflow_port": { file: "9995", value: 9995, badFile: "-1", badText: "99999" },
  "ingestion.sflow_port": { file: "6344", value: 6344, badFile: "6343.5", badText: "0x10" },
  "ingestion.ipfix_port": { file: "4740", value: 4740, badFile: "yes", badText: " 4739" },
  "ingestion.receive_buffer_size": { file: "8 MiB", value: 8 * 1024 ** 2, badFile: "8 MB", badText: "1 KiB" },
  "ingestion.spool_max_size": { file: "1 GiB", value: 1024 ** 3, badFile: "1 kB", badText: "all" },
  "ingestion.exporter_max_rate": { file: "5000", value: 5000, badFile: "-1", badText: "many" },
  "ingestion.workers": { file: "2", value: 2, badFile: "0", badText: "auto" },
  "exporters.require_approval": { file: "true", value: true, badFile: "yes", badText: "1" },
  "exporters.silence_seconds": { file: "60", value: 60, badFile: "9", badText: "5m" },
  "aggregation.window_size_seconds": { file: "60", value: 60, badFile: "70", badText: "7" },
  "aggregation.flush_interval_seconds": { file: "30", value: 30, badFile: "0", badText: "1m" },
  "aggregation.max_conversations": { file: "20000", value: 20_000, badFile: "999", badText: "all" },
  "aggregation.lateness_seconds": { file: "0", value: 0, badFile: "-1", badText: "none" },
  "flow_raw.keep": { file: "true", value: true, badFile: "1", badText: "yes" },
  "flow_raw.max_rate": { file: "500", value: 500, badFile: "0", badText: "1k" },
  "assets.hosts_file": { file: "/etc/hosts", value: "/etc/hosts", badFile: "[]", badText: "" },
  "assets.auto_create": { file: "false", value: false, badFile: "off", badText: "False" },
  "assets.min_flows_for_creation": { file: "1", value: 1, badFile: "0", badText: "" },
  "dependencies.min_flows_for_creation": { file: "1", value: 1, badFile: "0", badText: "two" },
  "dependencies.confidence_threshold": { file: "0.75", value: 0.75, badFile: "75", badText: "1.01" },
  "dependencies.stale_after_hours": { file: "24", value: 24, badFile: "0", badText: "7d" },
  "classification.internal_ranges": {
    file: "[10.0.0.0/8, 2001:db8::/32]",
    value: ["10.0.0.0/8", "2001:db8::/32"],
    text: "10.0.0.0/8, 2001:db8::/32",
    badFile: "[10.2.3.4/8]",
    badText: "10.0.0.0/33"
  },
  services: {
    file: "[{ port: 8045, protocol: tcp, name: our-erp }]",
    value: [{ port: 8045, protocol: "tcp", name: "our-erp" }],
    text: "8045/tcp=our-erp",
    badFile: "[{ port: 8045, protocol: tcp, name: a }, { port: 8045, protocol: tcp, name: b }]",
    badText: "8045=our-erp"
  },
  "retention.flow_raw_days": { file: "3", value: 3, badFile: "0", badText: "week" },
  "retention.flow_stats_days": { file: "7", value: 7, badFile: "0", badText: "1w" },
  "retention.flow_stats_hour_days": { file: "90", value: 90, badFile: "1", badText: "" },
  "retention.flow_stats_day_days": { file: "730", value: 730, badFile: "1.5", badText: "2y" },
  "retention.audit_days": { file: "0", value: 0, badFile: "29", badText: "ever" },
  "retention.coverage_days": { file: "30", value: 30, badFile: "0", badText: "month" },
  "retention.reserve": { file: "2 GiB", value: 2 * 1024 ** 3, badFile: "1 MiB", badText: "10%" },
  "retention.max_database_size": { file: "100 GiB", value: 100 * 1024 ** 3, badFile: "-1", badText: "big" },
  "access.session_hours": { file: "8", value: 8, badFile: "0", badText: "8h" },
  "access.lockout_failures": { file: "10", value: 10, badFile: "0", badText: "never" },
  "access.lockout_minutes": { file: "60", value: 60, badFile: "0.5", badText: "1,5" },
  "log.level": { file: "debug", value: "debug", badFile: "verbose", badText: "INFO" },
  "log.format": { file: "text", value: "text", badFile: "xml", badText: "pretty" }
}

describe("every knob", () => {
  it("has a row in this table, and nothing else has", () => {
    assert.deepStrictEqual(
      knobsOf(configTable).map(([name]) => name),
      Object.keys(knobs)
    )
  })

  for (const [knob, { file, value, text = file, badFile, badText }] of Object.entries(knobs)) {
    const variable = variableOf(knob)

    it(`${knob} is set by the file, and says so`, () => {
      const { config, settings } = resolved(fileWith(knob, file))
      assert.deepStrictEqual(plain(at(config, knob)), value)
      assert.strictEqual(settings.find((one) => one.knob === knob)?.source, `flowlens.yaml:${lineOf(knob)}`)
      assert.strictEqual(settings.filter((one) => one.source !== "default").length, 1)
    })

    it(`${knob} is set by ${variable}, which wins over the file`, () => {
      const { config, settings } = resolved(undefined, { [variable]: text })
      assert.deepStrictEqual(plain(at(config, knob)), value)
      assert.strictEqual(settings.find((one) => one.knob === knob)?.source, variable)
      const both = resolved(fileWith(knob, file), { [variable]: text })
      assert.strictEqual(both.settings.find((one) => one.knob === knob)?.source, variable)
    })

    it(`${knob} refuses a bad value by its name, the value, what is allowed and the place`, () => {
      const [inFile, ...moreInFile] = problems(fileWith(knob, badFile))
      assert.deepInclude(inFile, { knob, where: `flowlens.yaml:${lineOf(knob)}` })
      assert.deepStrictEqual(moreInFile, [])
      const [inVariable, ...moreInVariable] = problems(undefined, { [variable]: badText })
      assert.deepInclude(inVariable, { knob, where: variable })
      assert.deepStrictEqual(moreInVariable, [])
      for (const one of [inFile!, inVariable!]) {
        assert.include(one.message, knob)
        assert.include(one.message, one.where)
        assert.include(one.message, one.allowed)
        assert.isAbove(one.allowed.length, 4)
        assert.notInclude(one.message, "\n")
      }
    })
  }
})

describe("configuration", () => {
  it("needs neither file nor variable", () => {
    const { config, settings } = resolved(undefined)
    assert.strictEqual(config.api.port, 8443)
    assert.strictEqual(config.ingestion.netflow_port, 2055)
    assert.strictEqual(config.database.url, undefined)
    assert.isTrue(settings.every((one) => one.source === "default"))
    assert.deepStrictEqual(resolved("").config, config)
    assert.deepStrictEqual(resolved("# nothing\n").config, config)
    assert.deepStrictEqual(resolved("api:\n  # port: 443\nlog:\n").config, config)
  })

  it("tells all problems at once", () => {
    const text = "ingestion:\n  netflow_port: 99999\n  netflw_port: 1\nlogs:\n  level: info\napi: 443\n"
    const seen = problems(text, { FLOWLENS_LOG_LEVEL: "loud", FLOWLENS_INGESTION_PORT: "1" })
    assert.deepStrictEqual(
      seen.map((one) => [one.knob, one.value, one.where]),
      [
        ["ingestion.netflw_port", undefined, "flowlens.yaml:3"],
        ["logs", undefined, "flowlens.yaml:4"],
        ["api", "443", "flowlens.yaml:6"],
        [undefined, undefined, "FLOWLENS_INGESTION_PORT"],
        ["ingestion.netflow_port", "99999", "flowlens.yaml:2"],
        ["log.level", '"loud"', "FLOWLENS_LOG_LEVEL"]
      ]
    )
    assert.strictEqual(
      seen[4]?.message,
      "ingestion.netflow_port cannot be 99999 (flowlens.yaml:2); allowed: a whole number from 0 to 65535"
    )
    assert.strictEqual(
      seen[0]?.message,
      "unknown knob ingestion.netflw_port (flowlens.yaml:3); the nearest is ingestion.netflow_port"
    )
    assert.strictEqual(seen[3]?.message, "unknown variable FLOWLENS_INGESTION_PORT; the nearest is FLOWLENS_INGESTION_SFLOW_PORT")
  })

  it("refuses a key that is set twice, and names the second line", () => {
    assert.deepStrictEqual(messages("log:\n  level: info\n  level: debug\n"), ["level is set twice (flowlens.yaml:3)"])
    assert.deepStrictEqual(messages("log:\n  level: info\napi:\n  port: 1\nlog:\n  format: text\n"), [
      "log is set twice (flowlens.yaml:5)"
    ])
  })

  it("refuses what is not YAML with its line, and still tells what is wrong elsewhere", () => {
    const seen = problems("log:\n  level: loud\napi:\n\tport: 1\n")
    assert.isTrue(seen.some((one) => one.where === "flowlens.yaml:4" && one.message.startsWith("not valid YAML")))
    assert.isTrue(seen.some((one) => one.knob === "log.level"))
    assert.deepStrictEqual(messages("just words"), ["the file must hold sections such as `ingestion:` (flowlens.yaml:1)"])
    assert.isAbove(messages("- a\n- b\n").length, 0)
    assert.isAbove(messages("log: &x { level: info }\napi: *x\n").length, 0)
    assert.isAbove(messages("api:\n  port: 1\n---\napi:\n  port: 2\n").length, 0)
  })

  it("names the wrong elements of a list, each at its line", () => {
    const text = "classification:\n  internal_ranges:\n    - 10.0.0.0/8\n    - 10.1.2.3/16\n    - fc00::/7\n    - all\n"
    assert.deepStrictEqual(
      problems(text).map((one) => [one.knob, one.value, one.where]),
      [
        ["classification.internal_ranges", '"10.1.2.3/16"', "flowlens.yaml:4"],
        ["classification.internal_ranges", '"all"', "flowlens.yaml:6"]
      ]
    )
    const services = "services:\n  - { port: 80, protocol: tcp, name: web }\n  - { port: 81, protocol: icmp, name: web }\n"
    assert.deepStrictEqual(
      problems(services).map((one) => [one.value, one.where]),
      [['{"port":81,"protocol":"icmp","name":"web"}', "flowlens.yaml:3"]]
    )
    assert.deepInclude(problems("services:\n  web: 80\n")[0], { knob: "services", where: "flowlens.yaml:1" })
  })

  it("refuses an empty value and a section where a value belongs", () => {
    assert.deepStrictEqual(messages("api:\n  port:\n"), [
      "api.port cannot be nothing (flowlens.yaml:2); allowed: a whole number from 0 to 65535"
    ])
    assert.include(messages("api:\n  port:\n    number: 443\n")[0], "api.port cannot be")
    assert.include(messages("__proto__:\n  x: 1\n")[0], "unknown knob __proto__")
    assert.include(messages("constructor: 1\n")[0], "unknown knob constructor")
  })

  it("leaves other programs' variables alone", () => {
    assert.strictEqual(
      resolved(undefined, { PATH: "/bin", FLOW: "x", FLOWLENS_UPDATE: "1" }).settings.length,
      Object.keys(knobs).length
    )
  })

  it("refuses knobs that do not fit together, at the place where they were set", () => {
    assert.deepStrictEqual(messages("ingestion:\n  sflow_port: 2055\n"), [
      "ingestion.sflow_port cannot be 2055 (flowlens.yaml:2); allowed: a port of its own, not that of ingestion.netflow_port"
    ])
    assert.include(messages(undefined, { FLOWLENS_INGESTION_IPFIX_PORT: "6343" })[0], "not that of ingestion.sflow_port")
    assert.include(
      messages("aggregation:\n  window_size_seconds: 30\n")[0],
      "aggregation.flush_interval_seconds cannot be 60 (its default)"
    )
    assert.include(messages("api:\n  pagination: { default: 2000 }\n")[0], "at most api.pagination.maximum, which is 1000")
    assert.include(messages("retention:\n  flow_stats_days: 500\n")[0], "at least retention.flow_stats_days, which is 500")
    const free = { FLOWLENS_INGESTION_NETFLOW_PORT: "0", FLOWLENS_INGESTION_SFLOW_PORT: "0", FLOWLENS_INGESTION_IPFIX_PORT: "0" }
    assert.strictEqual(resolved(undefined, free).config.ingestion.ipfix_port, 0)
  })

  it("never repeats a secret", () => {
    const url = "postgresql://lens:s3cret@db:5432/lens?sslmode=require&password=0ther"
    const { config, settings } = resolved(undefined, { FLOWLENS_DATABASE_URL: url })
    assert.strictEqual(Redacted.value(config.database.url!), url)
    assert.notInclude(JSON.stringify([config, settings]), "s3cret")
    assert.notInclude(JSON.stringify([config, settings]), "0ther")
    assert.strictEqual(
      settings.find((one) => one.knob === "database.url")?.value,
      "postgresql://lens:<redacted>@db:5432/lens?sslmode=require&password=<redacted>"
    )
    assert.notInclude(
      JSON.stringify(problems("database:\n  url: mysql://u:hunter2@db/x\n", { FLOWLENS_DATABASE_URL: "hunter2" })),
      "hunter2"
    )
  })
})

describe("loading the configuration", () => {
  const inFolder = (run: (folder: string) => void) => {
    const folder = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "flowlens-config-"))
    try {
      run(folder)
    } finally {
      NodeFs.rmSync(folder, { recursive: true })
    }
  }

  it("finds flowlens.yaml in the data folder, and does without", () =>
    inFolder((folder) => {
      const env = { FLOWLENS_DATA: folder }
      assert.strictEqual(Result.getOrThrow(loadConfig({ env })).config.data, folder)
      NodeFs.writeFileSync(NodePath.join(folder, "flowlens.yaml"), "api:\n  port: 1443\n")
      assert.strictEqual(Result.getOrThrow(loadConfig({ env })).config.api.port, 1443)
    }))

  it("needs the file it was asked for", () =>
    inFolder((folder) => {
      const path = NodePath.join(folder, "site.yaml")
      const result = loadConfig({ path, env: {} })
      assert.deepStrictEqual(Result.isFailure(result) ? result.failure.map((one) => one.message) : [], [
        `configuration file ${path}: there is no such file`
      ])
      NodeFs.mkdirSync(path)
      assert.isTrue(Result.isFailure(loadConfig({ path, env: {} })))
    }))
})
