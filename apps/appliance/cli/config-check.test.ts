import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { runConfig } from "./config-check.ts"

const run = (fileText: string | undefined, argv: ReadonlyArray<string>, env: Record<string, string> = {}) => {
  const folder = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "flowlens-check-"))
  try {
    const file = NodePath.join(folder, "flowlens.yaml")
    if (fileText !== undefined) NodeFs.writeFileSync(file, fileText)
    const out: Array<string> = []
    const err: Array<string> = []
    const code = runConfig(argv, {
      env: { FLOWLENS_DATA: folder, ...env },
      out: (text) => void out.push(text),
      err: (text) => void err.push(text)
    })
    return { code, file, out: out.join("\n"), err: err.join("\n") }
  } finally {
    NodeFs.rmSync(folder, { recursive: true })
  }
}

describe("flowlens config check", () => {
  it("prints every value with where it comes from", () => {
    const { code, file, out, err } = run("api:\n  port: 1443\n", ["check"], { FLOWLENS_LOG_LEVEL: "debug" })
    assert.strictEqual(code, 0)
    assert.strictEqual(err, "")
    assert.match(out, new RegExp(`^api\\.port +1443 +${file}:2$`, "m"))
    assert.match(out, /^log\.level +debug +FLOWLENS_LOG_LEVEL$/m)
    assert.match(out, /^ingestion\.netflow_port +2055 +default$/m)
  })

  it("gives programs one JSON object, without secrets", () => {
    const { code, out } = run(undefined, ["check", "--json"], { FLOWLENS_DATABASE_URL: "postgres://lens:s3cret@db/lens" })
    assert.strictEqual(code, 0)
    assert.notInclude(out, "s3cret")
    const { ok, settings, problems } = JSON.parse(out)
    assert.deepStrictEqual([ok, problems], [true, []])
    const one = (knob: string) => settings.find((setting: { knob: string }) => setting.knob === knob)
    assert.deepInclude(one("database.url"), { value: "postgres://lens:<redacted>@db/lens", source: "FLOWLENS_DATABASE_URL" })
    assert.deepInclude(one("ingestion.netflow_port"), {
      value: 2055,
      source: "default",
      variable: "FLOWLENS_INGESTION_NETFLOW_PORT"
    })
    assert.deepInclude(one("services"), { value: [] })
  })

  it("exits with 1 and every problem on standard error when something is wrong", () => {
    const { code, file, out, err } = run("api:\n  port: https\n  prot: 1\n", ["check"])
    assert.strictEqual(code, 1)
    assert.strictEqual(out, "")
    assert.deepStrictEqual(err.split("\n"), [
      "flowlens: 2 problems in the configuration",
      `  unknown knob api.prot (${file}:3); the nearest is api.port`,
      `  api.port cannot be "https" (${file}:2); allowed: a whole number from 0 to 65535`
    ])
    const asJson = run("api:\n  port: https\n", ["check", "--json"])
    assert.strictEqual(asJson.code, 1)
    assert.deepInclude(JSON.parse(asJson.out).problems[0], { knob: "api.port", value: '"https"' })
  })

  it("exits with 1 when the file that was asked for is not there, and 2 when the command is wrong", () => {
    assert.strictEqual(run(undefined, ["check", "--config", "/nonexistent/flowlens.yaml"]).code, 1)
    assert.strictEqual(run(undefined, ["check", "--yaml"]).code, 2)
    assert.strictEqual(run(undefined, ["check", "flowlens.yaml"]).code, 2)
    assert.strictEqual(run(undefined, ["chek"]).code, 2)
    assert.strictEqual(run(undefined, []).code, 2)
    assert.strictEqual(run(undefined, ["check", "--help"]).code, 0)
  })
})
