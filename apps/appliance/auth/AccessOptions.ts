/** The knobs of section `access`. */
import { Context } from "effect"
import type { AttemptLimit, SessionLimits } from "#pipeline/store/SessionStore.ts"

export class AccessOptions extends Context.Service<
  AccessOptions,
  {
    readonly session: SessionLimits
    /** Failures of one name before it must wait; a source address, which many people may share, has four times as many. */
    readonly lockout: AttemptLimit
  }
>()("appliance/auth/AccessOptions") {}
