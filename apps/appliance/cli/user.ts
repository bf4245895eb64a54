/** `flowlens user …`: who may log in, managed on the machine itself, where no login is needed. Every change is in the audit log. */
import { DateTime, Effect, Option, Schema } from "effect"
import { Operator, OperatorName } from "#domain/Operator.ts"
import { Role } from "#domain/Role.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { OperatorStore } from "#pipeline/store/OperatorStore.ts"
import { SessionStore } from "#pipeline/store/SessionStore.ts"
import { reservedNames } from "../auth/Access.ts"
import { hashPassword, weakness } from "../auth/password.ts"
import {
  failed,
  inDatabase,
  type LocalTerminal,
  localConfig,
  optionsOf,
  ownLocalTerminal,
  runCommand,
  secretFrom,
  table,
  wrongUse
} from "./local.ts"

const usage = `flowlens user COMMAND [--config FILE] [--json]

  add NAME --role ROLE --password-stdin   a new operator (ROLE: admin, operator, analyst, viewer)
  list                                    who there is
  password NAME --password-stdin          a new password; ends the operator's sessions
  role NAME --role ROLE                   another role
  disable NAME                            no login any more; ends the operator's sessions and tokens
  enable NAME                             login again; also lifts a lock after wrong passwords

The password is the first line of standard input, at least 12 characters. Works on the machine of a running appliance.
Exit code: 0 done, 1 not done, 2 wrong use of the command.`

const asOperator = Schema.encodeSync(Operator)

const record = (action: string, subject: string, detail: Readonly<Record<string, string>> = {}) =>
  Effect.flatMap(AuditStore, (audit) =>
    audit.append({ actor: "local", via: "local", source: null, action, subject, outcome: "done", detail })
  )

const roleOf = (text: string | undefined): Role => {
  if (!Schema.is(Role)(text)) throw wrongUse(`--role must be one of ${Role.literals.join(", ")}`)
  return text
}

const passwordFor = async (terminal: LocalTerminal, name: string, asked: boolean | undefined): Promise<string> => {
  if (asked !== true) throw wrongUse("give the password on standard input, with --password-stdin")
  const password = await secretFrom(terminal, undefined)
  const why = weakness(password, name)
  if (why !== undefined) throw failed(`choose another password: ${why}`)
  return password
}

const change = (
  name: string,
  action: string,
  detail: Readonly<Record<string, string>>,
  what: Parameters<OperatorStore["Service"]["change"]>[1]
) =>
  Effect.gen(function* () {
    const operators = yield* OperatorStore
    const found = yield* operators.credential(name)
    if (Option.isNone(found)) return yield* Effect.fail(failed(`there is no operator ${name}`))
    const outcome = yield* operators.change(found.value.id, what)
    if ("refused" in outcome) {
      return yield* Effect.fail(
        failed(outcome.refused === "unknown" ? `there is no operator ${name}` : `${name} is the last enabled administrator`)
      )
    }
    // whoever manages operators here has a reason: a lock after wrong passwords goes too
    yield* (yield* SessionStore).forgive(`name:${name}`, true)
    yield* record(action, name, detail)
    return outcome.operator
  })

export const runUser = (argv: ReadonlyArray<string>, terminal: LocalTerminal = ownLocalTerminal): Promise<number> =>
  runCommand(terminal, "user", usage, async () => {
    const { values, positionals } = optionsOf(argv, {
      role: { type: "string" },
      "password-stdin": { type: "boolean" },
      config: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" }
    })
    const [command, name, ...more] = positionals
    if (values.help || command === "help") return terminal.out(usage)
    if (command === undefined || more.length > 0)
      throw wrongUse(command === undefined ? "say what to do" : `too much: ${more.join(" ")}`)
    const config = () => localConfig(terminal, values.config)
    const nameGiven = (): string => {
      if (name === undefined) throw wrongUse(`${command} whom?`)
      return name
    }
    const say = (operator: Operator, text: string) => terminal.out(values.json ? JSON.stringify(asOperator(operator)) : text)

    switch (command) {
      case "add": {
        const who = nameGiven()
        const role = roleOf(values.role)
        if (!Schema.is(OperatorName)(who))
          throw wrongUse(`${who}: a name has 2 to 64 of a-z, 0-9, dot, dash, underscore; a letter first`)
        if (reservedNames.has(who)) throw failed(`the name ${who} is taken`)
        const password = await passwordFor(terminal, who, values["password-stdin"])
        const operator = await inDatabase(
          config(),
          Effect.gen(function* () {
            const operators = yield* OperatorStore
            const added = yield* operators.add({ name: who, role, passwordHash: yield* hashPassword(password) })
            if (Option.isNone(added)) return yield* Effect.fail(failed(`an operator ${who} already exists`))
            yield* record("operator.add", who, { role })
            return added.value
          })
        )
        return say(operator, `added ${who}, ${role}`)
      }
      case "list": {
        const operators = await inDatabase(
          config(),
          Effect.flatMap(OperatorStore, (store) => store.list)
        )
        if (values.json) return terminal.out(JSON.stringify(operators.map((one) => asOperator(one))))
        const when = (at: DateTime.Utc | null) => (at === null ? "never" : DateTime.formatIso(at))
        return terminal.out(
          operators.length === 0
            ? "no operator yet: use the setup code of the first start, or flowlens user add"
            : table(
                ["name", "role", "state", "last login"],
                operators.map((one) => [one.name, one.role, one.disabled ? "disabled" : "enabled", when(one.lastLoginAt)])
              )
        )
      }
      case "password": {
        const who = nameGiven()
        const password = await passwordFor(terminal, who, values["password-stdin"])
        const passwordHash = await Effect.runPromise(hashPassword(password))
        const operator = await inDatabase(config(), change(who, "operator.change", { password: "changed" }, { passwordHash }))
        return say(operator, `${who} has a new password; open sessions were ended`)
      }
      case "role": {
        const role = roleOf(values.role)
        return say(await inDatabase(config(), change(nameGiven(), "operator.change", { role }, { role })), `${name} is ${role} now`)
      }
      case "disable":
      case "enable": {
        const disabled = command === "disable"
        const operator = await inDatabase(
          config(),
          change(nameGiven(), "operator.change", { disabled: String(disabled) }, { disabled })
        )
        return say(operator, disabled ? `${name} is disabled; open sessions were ended` : `${name} is enabled`)
      }
      default:
        throw wrongUse(`no command ${command}`)
    }
  })
