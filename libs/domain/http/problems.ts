/** How the REST API says no: problem documents (RFC 9457), one shape everywhere. */
import { Schema } from "effect"
import { HttpApiError } from "effect/http-api"

const type = "about:blank"

export class InputRefused extends HttpApiError.Problem<InputRefused>()(
  "InputRefused",
  { type, status: 400, title: "Input refused" },
  {
    /** Every field that broke a rule. A field is named by its path; `path`, `query` or `body` stand for the whole. Values are cut at 200. */
    errors: Schema.Array(Schema.Struct({ field: Schema.String, rule: Schema.String, value: Schema.NullOr(Schema.String) }))
  }
) {}

export class NotAuthenticated extends HttpApiError.Problem<NotAuthenticated>()("NotAuthenticated", {
  type,
  status: 401,
  title: "Not authenticated"
}) {}

export class NotPermitted extends HttpApiError.Problem<NotPermitted>()("NotPermitted", {
  type,
  status: 403,
  title: "Not permitted"
}) {}

export class NotThere extends HttpApiError.Problem<NotThere>()("NotThere", { type, status: 404, title: "Not found" }) {}

export class Conflict extends HttpApiError.Problem<Conflict>()("Conflict", { type, status: 409, title: "Not now, or not again" }) {}
