/** Section `api.pagination`: rows of a page when the caller does not say, and the most. */
import { Context } from "effect"

export class PageSizes extends Context.Service<PageSizes, { readonly default: number; readonly maximum: number }>()(
  "appliance/rpc/PageSizes"
) {}
