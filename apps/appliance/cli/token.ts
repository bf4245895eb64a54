/** `flowlens token …`: bearer tokens for programs, managed on the machine itself. */
import { DateTime, Effect, Option, Schema } from "effect"
import { Token } from "#domain/Operator.ts"
import { Role } from "#domain/Role.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { TokenStore } from "#pipeline/store/TokenStore.ts"
import { newToken, sha256 } from "../auth/secret.ts"
import {
  failed,
  inDatabase,
  type LocalTerminal,
  localConfig,
  optionsOf,
  ownLocalTerminal,
  runCommand,
  table,
  wrongUse
} from "./local.ts"

const usage = `flowlens token COMMAND [--config FILE] [--json]

  create --role ROLE [--name NAME] [--days D]   a new token (ROLE: admin, operator, analyst, viewer); it is shown once
  list                                          tokens that are not revoked
  revoke ID                                     refused from now on

A program sends it as  Authorization: Bearer TOKEN. Without --days it does not expire.
Works on the machine of a running appliance. Exit code: 0 done, 1 not done, 2 wrong use of the command.`

const asToken = Schema.encodeSync(Token)

const daysOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,3}$/.test(text)) throw wrongUse("--days must be a whole number from 1 to 9999")
  return Number(text)
}

const record = (action: string, subject: string, detail: Readonly<Record<string, string>>) =>
  Effect.flatMap(AuditStore, (audit) =>
    audit.append({ actor: "local", via: "local", source: null, action, subject, outcome: "done", detail })
  )

export const runToken = (argv: ReadonlyArray<string>, terminal: LocalTerminal = ownLocalTerminal): Promise<number> =>
  runCommand(terminal, "token", usage, async () => {
    const { values, positionals } = optionsOf(argv, {
      role: { type: "string" },
      name: { type: "string" },
      days: { type: "string" },
      config: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" }
    })
    const [command, id, ...more] = positionals
    if (values.help || command === "help") return terminal.out(usage)
    if (command === undefined || more.length > 0)
      throw wrongUse(command === undefined ? "say what to do" : `too much: ${more.join(" ")}`)
    const config = () => localConfig(terminal, values.config)

    switch (command) {
      case "create": {
        const { role, name = "command line" } = values
        if (!Schema.is(Role)(role)) throw wrongUse(`--role must be one of ${Role.literals.join(", ")}`)
        if (id !== undefined) throw wrongUse(`too much: ${id}`)
        if (name.length < 1 || name.length > 64) throw wrongUse("--name has 1 to 64 characters")
        const days = daysOf(values.days)
        const secret = newToken()
        const token = await inDatabase(
          config(),
          Effect.gen(function* () {
            const made = yield* (yield* TokenStore).create({ secretHash: sha256(secret), name, role, owner: undefined, days })
            yield* record("token.create", `local/${name}`, {
              role,
              id: made.id,
              ...(days === undefined ? {} : { days: String(days) })
            })
            return made
          })
        )
        return terminal.out(values.json ? JSON.stringify({ token: asToken(token), secret }) : secret)
      }
      case "list": {
        const tokens = await inDatabase(
          config(),
          Effect.flatMap(TokenStore, (store) => store.list(undefined))
        )
        if (values.json) return terminal.out(JSON.stringify(tokens.map((one) => asToken(one))))
        const when = (at: DateTime.Utc | null) => (at === null ? "never" : DateTime.formatIso(at))
        return terminal.out(
          tokens.length === 0
            ? "no token"
            : table(
                ["id", "name", "role", "by", "expires", "last used"],
                tokens.map((one) => [one.id, one.name, one.role, one.createdBy, when(one.expiresAt), when(one.lastUsedAt)])
              )
        )
      }
      case "revoke": {
        if (id === undefined || !/^[1-9]\d{0,17}$/.test(id)) throw wrongUse("revoke which? flowlens token list shows the ids")
        const token = await inDatabase(
          config(),
          Effect.gen(function* () {
            const revoked = yield* (yield* TokenStore).revoke(id, undefined)
            if (Option.isNone(revoked)) return yield* Effect.fail(failed(`there is no token ${id} that is not revoked`))
            yield* record("token.revoke", `${revoked.value.createdBy}/${revoked.value.name}`, { id })
            return revoked.value
          })
        )
        return terminal.out(values.json ? JSON.stringify(asToken(token)) : `revoked ${id}, ${token.name}`)
      }
      default:
        throw wrongUse(`no command ${command}`)
    }
  })
