/** Actors, warnings, settings, operators, audit and traffic of a seed. */
import { AuditEntry } from "#domain/Audit.ts"
import { TemplateSummary } from "#domain/Exporter.ts"
import { ActorReading, HealthWarning, MailboxReading } from "#domain/Health.ts"
import { OperatorId, TokenId } from "#domain/ids.ts"
import { Operator, Token } from "#domain/Operator.ts"
import type { Role } from "#domain/Role.ts"
import { SettingReading } from "#domain/Settings.ts"
import { WindowTotal } from "#domain/Status.ts"
import { instant } from "./World.ts"

const day = 86_400_000

export const templates = (now: number): ReadonlyArray<TemplateSummary> =>
  [256, 257, 258].map(
    (templateId) =>
      new TemplateSummary({
        observationDomain: 256,
        templateId,
        kind: templateId === 258 ? "options" : "data",
        protocol: "ipfix",
        fields:
          templateId === 258
            ? [
                [0, 149, 4],
                [0, 34, 4]
              ]
            : [
                [0, 8, 4],
                [0, 12, 4],
                [0, 7, 2],
                [0, 11, 2],
                [0, 4, 1],
                [0, 1, 8],
                [0, 2, 8],
                [9, 12232, 65535]
              ],
        learnedAt: instant(now - 2 * day)
      })
  )

export const actors = (now: number, startedAt: number, busy: boolean): ReadonlyArray<ActorReading> => {
  const reading = (path: string, mailbox: MailboxReading | null, gauges: Record<string, number> = {}, restarts = 0) =>
    new ActorReading({
      path,
      state: "running",
      since: instant(restarts > 0 ? now - 3_600_000 : startedAt),
      restarts,
      lastError: restarts > 0 ? { message: "could not write the slice: connection reset", at: instant(now - 3_600_000) } : null,
      mailbox,
      gauges
    })
  const mailbox = (name: string, policy: "refuse" | "wait" | "slide", capacity: number, offered: number) =>
    new MailboxReading({ name, policy, capacity, depth: busy ? 2 : 0, offered: BigInt(offered), refused: 0n })
  const rate = busy ? 1 : 0
  return [
    reading("flow/worker-1", mailbox("datagrams", "refuse", 8_192, 91_201_442 * rate), { conversations: 48_211 * rate }),
    reading("flow/worker-1/udp:2055", null, { datagrams: 64_100_201 * rate, kernelDropped: 0 }),
    reading("flow/worker-1/udp:4739", null, { datagrams: 27_101_241 * rate, kernelDropped: 0 }),
    reading("flow/worker-1/udp:6343", null, { datagrams: 0, kernelDropped: 0 }),
    reading("flow/slices", mailbox("slices", "wait", 2, 812 * rate), { spooled: 0 }, busy ? 1 : 0),
    reading("store/partitions", null),
    reading("console/live", mailbox("subjects", "slide", 64, 40_112 * rate))
  ]
}

export const warnings = (now: number): ReadonlyArray<HealthWarning> => [
  new HealthWarning({
    code: "exporter-silent",
    severity: "warning",
    title: "An exporter is silent",
    detail: "10.0.0.13 (NetFlow v5) sent nothing for 47 minutes; it usually sends 1\u202f900 records/s",
    hint: "check its export target and the path to udp/2055",
    since: instant(now - 42 * 60_000),
    subject: "10.0.0.13"
  }),
  new HealthWarning({
    code: "template-missing",
    severity: "warning",
    title: "Data sets wait for their template",
    detail: "10.0.0.21 (NetFlow v9) sent 26 data sets of template 260, which it has not described",
    hint: "shorten its template refresh, or wait for the next one",
    since: instant(now - 8 * 60_000),
    subject: "10.0.0.21"
  })
]

export const settings: ReadonlyArray<SettingReading> = [
  ["ingestion.netflow_port", "2055", "default", "UDP port for NetFlow v5 and v9"],
  ["ingestion.ipfix_port", "4739", "default", "UDP port for IPFIX"],
  ["ingestion.sflow_port", "6343", "default", "UDP port for sFlow v5"],
  ["aggregation.window_seconds", "300", "default", "length of a window"],
  ["aggregation.flush_interval_seconds", "60", "flowlens.yaml:12", "how often slices are written"],
  ["api.port", "8443", "FLOWLENS_API_PORT", "HTTPS port of console and API"],
  ["database.url", "postgres://flowlens:<redacted>@localhost/flowlens", "flowlens.yaml:3", "where the store is"],
  ["retention.flow_stats_days", "30", "default", "how long window totals are kept"]
].map(
  ([knob, value, source, description]) =>
    new SettingReading({ knob: knob!, value: value!, source: source!, description: description! })
)

export const operators = (now: number): ReadonlyArray<Operator> =>
  (["admin", "operator", "analyst", "viewer"] satisfies ReadonlyArray<Role>).map(
    (role, i) =>
      new Operator({
        id: OperatorId.make(String(i + 1)),
        name: role,
        role,
        disabled: role === "analyst",
        createdAt: instant(now - 30 * day),
        lastLoginAt: role === "viewer" ? null : instant(now - (i + 1) * 3_600_000)
      })
  )

export const tokens = (now: number): ReadonlyArray<Token> => [
  new Token({
    id: TokenId.make("1"),
    name: "metrics scraper",
    role: "analyst",
    createdBy: "admin",
    createdAt: instant(now - 20 * day),
    expiresAt: instant(now + 70 * day),
    lastUsedAt: instant(now - 15_000)
  })
]

export const audit = (now: number): Array<AuditEntry> =>
  (
    [
      ["admin", "session.login", null, "done"],
      ["unknown", "session.login", "root", "refused"],
      ["admin", "operator.add", "viewer", "done"],
      ["operator", "exporter.rename", "10.0.0.11", "done"],
      ["viewer", "operator.add", "mallory", "refused"],
      ["admin", "token.create", "metrics scraper", "done"]
    ] as const
  ).map(
    ([actor, action, subject, outcome], i) =>
      new AuditEntry({
        sequence: BigInt(i + 1),
        at: instant(now - (7 - i) * 3_600_000),
        actor,
        via: actor === "unknown" ? "none" : "session",
        source: "10.8.1.50",
        action,
        subject,
        outcome,
        detail: {},
        hash: (i + 11).toString(16).padStart(2, "0").repeat(32)
      })
  )

/** A day of windows with a daily wave, and a gap of half an hour when the appliance was down. */
export const traffic = (now: number, random: () => number): ReadonlyArray<WindowTotal> => {
  const last = Math.floor(now / 300_000) * 300_000
  return Array.from({ length: 288 }, (_, i) => last - (287 - i) * 300_000)
    .filter((_, i) => i < 120 || i >= 126)
    .map((at) => {
      const wave = 1 + 0.5 * Math.sin(((at % day) / day) * 2 * Math.PI - 2) + random() * 0.12
      return new WindowTotal({
        at: instant(at),
        bytes: BigInt(Math.round(9e9 * wave)),
        packets: BigInt(Math.round(1.2e7 * wave)),
        flows: BigInt(Math.round(9e6 * wave))
      })
    })
}
