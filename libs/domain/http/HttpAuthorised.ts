/** What stands in front of every REST call: the gate, and what a call with bad input is told. */
import { HttpApiMiddleware } from "effect/http-api"
import type { CurrentCaller } from "../Operator.ts"
import { InputRefused, NotAuthenticated, NotPermitted } from "./problems.ts"

/** Reads the endpoint's `Needs` annotation; an endpoint without it is refused to everyone. */
export class HttpAuthorised extends HttpApiMiddleware.Service<HttpAuthorised, { provides: CurrentCaller }>()(
  "domain/http/HttpAuthorised",
  { error: [NotAuthenticated, NotPermitted] }
) {}

export class InputChecked extends HttpApiMiddleware.Service<InputChecked>()("domain/http/InputChecked", { error: InputRefused }) {}
