/** Error answers for programs: RFC 9457 problem documents. */
import { HttpServerResponse, ProblemDetails } from "effect/http"

export interface Problem {
  readonly status: number
  readonly title: string
  /** One sentence: what is wrong, and what to do if the caller can. */
  readonly detail: string
  /** For bad input: what was wrong where. */
  readonly errors?: ReadonlyArray<{ readonly field: string; readonly rule: string; readonly value: string | null }>
}

export const problem = (body: Problem, headers?: Record<string, string>): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(
    { type: "about:blank", ...body },
    { status: body.status, contentType: ProblemDetails.contentType, ...(headers === undefined ? {} : { headers }) }
  )
