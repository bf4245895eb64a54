/** `flowlens status [--json]`: how the appliance of this machine is, from the appliance itself over its own HTTPS. */
import { existsSync, readFileSync } from "node:fs"
import { request } from "node:https"
import { DateTime, Schema } from "effect"
import { HealthDetail } from "#domain/Health.ts"
import { localTokenPath } from "../auth/LocalToken.ts"
import type { Config } from "../config.ts"
import { certificatePaths } from "../http/certificate.ts"
import {
  CommandFailed,
  failed,
  type LocalTerminal,
  localConfig,
  optionsOf,
  ownLocalTerminal,
  runCommand,
  table,
  wrongUse
} from "./local.ts"

const usage = `flowlens status [--config FILE] [--json]

Health, warnings, the account of the flow plane, and the actors that are not running.
Exit code: 0 healthy or degraded, 1 unhealthy or no answer, 2 wrong use of the command.`

const decode = Schema.decodeUnknownSync(HealthDetail)

interface Answer {
  readonly status: number
  readonly body: string
}

/** Asks the appliance, and only it: the certificate must be the one in the data folder. */
const ask = ({ api, data }: Config, path: string): Promise<Answer> => {
  const token = localTokenPath(data)
  const { certificate } = certificatePaths(data)
  if (!existsSync(certificate) || !existsSync(token)) {
    throw failed(`the appliance of ${data} does not run; start it (flowlens start), or name its data folder with FLOWLENS_DATA`)
  }
  let secret: string
  try {
    secret = readFileSync(token, "utf8").trim()
  } catch {
    throw failed(`${token} cannot be read; run this as the account of the appliance, or as root`)
  }
  const pem = readFileSync(certificate, "utf8")
  const host = api.host === "0.0.0.0" ? "127.0.0.1" : api.host === "::" ? "::1" : api.host
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host,
        port: api.port,
        path,
        timeout: 10_000,
        agent: false,
        headers: { authorization: `Bearer ${secret}` },
        // the one in the data folder is all that is trusted, whoever issued it; what names it has does not matter here
        ca: pem,
        allowPartialTrustChain: true,
        checkServerIdentity: () => undefined
      },
      (response) => {
        let body = ""
        response.setEncoding("utf8")
        response.on("data", (part) => (body += part))
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }))
      }
    )
    call.on("timeout", () => call.destroy(failed(`the appliance on ${host}:${api.port} does not answer within 10 s`)))
    call.on("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "ECONNREFUSED"
          ? failed(
              `nothing listens on ${host}:${api.port}; start the appliance (flowlens start), or name its port with FLOWLENS_API_PORT`
            )
          : error.code === undefined || error instanceof CommandFailed
            ? error
            : /CERT|SIGNED|ISSUER|TLS|SSL/.test(String(error.code))
              ? failed(`another program answers on ${host}:${api.port}: its certificate is not ours (${error.code})`)
              : failed(`no answer from ${host}:${api.port} (${error.code})`)
      )
    )
    call.end()
  })
}

const bytes = (n: number) => `${(n / 1024 ** 3).toFixed(1)} GiB`

const asText = (health: HealthDetail): string => {
  const { flow, database, disk } = health
  const troubled = health.actors.filter(({ state }) => state !== "running" && state !== "stopped")
  const lines = [
    `${health.status}   FlowLens ${health.version}, since ${DateTime.formatIso(health.startedAt)}`,
    "",
    table(
      ["flow", ""],
      [
        ["datagrams", flow.datagrams.toString()],
        ["records", flow.records.toString()],
        ["malformed", flow.malformed.toString()],
        ["refused", flow.refused.toString()],
        ["dropped by the kernel", flow.kernelDropped.toString()],
        ["failed", flow.failed.toString()],
        ["late", flow.late.toString()]
      ]
    ),
    "",
    `database ${database.reachable ? `answers in ${(database.roundTripMs ?? 0).toFixed(1)} ms` : "does not answer"}, disk ${bytes(disk.freeBytes)} free of ${bytes(disk.totalBytes)}`,
    `${health.actors.length} actors, ${troubled.length === 0 ? "all well" : `${troubled.length} not running:`}`,
    ...troubled.map(({ path, state, lastError }) => `  ${path}  ${state}${lastError === null ? "" : `  ${lastError.message}`}`)
  ]
  const warnings = health.warnings.flatMap(({ severity, title, detail, hint }) => [
    `${severity}: ${title}`,
    `  ${detail}`,
    `  ${hint}`
  ])
  return [...lines, ...(warnings.length === 0 ? [] : ["", ...warnings])].join("\n")
}

export const runStatus = (argv: ReadonlyArray<string>, terminal: LocalTerminal = ownLocalTerminal): Promise<number> => {
  let unhealthy = false
  return runCommand(terminal, "status", usage, async () => {
    const { values, positionals } = optionsOf(argv, {
      config: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" }
    })
    if (values.help) return terminal.out(usage)
    if (positionals.length > 0) throw wrongUse(`too much: ${positionals.join(" ")}`)
    const { status, body } = await ask(localConfig(terminal, values.config), "/api/v1/health")
    if (status !== 200) throw failed(`the appliance answered ${status}: ${body.slice(0, 300)}`)
    const health = decode(JSON.parse(body))
    unhealthy = health.status === "unhealthy"
    terminal.out(values.json ? body : asText(health))
  }).then((code) => (code === 0 && unhealthy ? 1 : code))
}
