/** Bad input, said the same everywhere: one problem document that names each field, the rule it broke and the value it had. */
import { Effect, Layer, SchemaIssue, type Types } from "effect"
import { HttpApiError } from "effect/http-api"
import { InputChecked } from "#domain/http/HttpAuthorised.ts"
import { InputRefused } from "#domain/http/problems.ts"

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

const slots: Record<string, string> = { Params: "path", Query: "query", Payload: "body", Headers: "header" }

/** Secrets are not sent back, however wrong they were. */
const secretField = /password|code|secret|token|authorization|cookie/i

const valueAt = (input: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined),
    input
  )

const show = (value: unknown): string | null => {
  if (value === undefined) return null
  const text = typeof value === "string" ? value : JSON.stringify(value)
  return text === undefined ? null : text.slice(0, 200)
}

const keyOf = (segment: PropertyKey | { readonly key: PropertyKey }) => (typeof segment === "object" ? segment.key : segment)

export const layerInputChecked = Layer.succeed(
  InputChecked,
  InputChecked.of((httpEffect) =>
    Effect.catch(httpEffect, (error): Effect.Effect<never, InputRefused | Types.unhandled> => {
      if (!HttpApiError.HttpApiSchemaError.is(error) || error.kind === "Body" || error.kind === "ResponseHeaders") {
        return Effect.fail(error)
      }
      const { issue: whole } = error.cause
      // there where the API asks for it; a login never does
      const input = SchemaIssue.hasInput(whole) ? whole.input : undefined
      const errors = issuesOf(whole).issues.map((issue) => {
        const path = (issue.path ?? []).map(keyOf)
        const field = path.length === 0 ? (slots[error.kind] ?? error.kind) : path.map(String).join(".")
        return { field, rule: issue.message.split("\n")[0]!, value: secretField.test(field) ? null : show(valueAt(input, path)) }
      })
      return Effect.fail(new InputRefused({ detail: errors.map(({ field, rule }) => `${field}: ${rule}`).join("; "), errors }))
    })
  )
)
