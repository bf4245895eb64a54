/**
 * A list as pages show it: filter, sort and selection from the URL, pages by key, and newer rows that wait instead of moving what is
 * under the pointer. Rows that are shown are brought up to date in place; their order changes only when somebody asks.
 */
import type { Effect } from "effect"
import type { ReactiveControllerHost } from "lit"
import type { FilterInvalid } from "#domain/Topology.ts"
import { type Place, revise } from "../place.ts"
import { act, type Calls } from "../rpc/client.ts"
import { faultOf } from "../rpc/Fault.ts"
import { Subject } from "../rpc/Subject.ts"
import { type FilterEvent, type SelectEvent, type SortEvent, ToastEvent } from "../ui/events.ts"
import type { FilterFault } from "../ui/net-filter.ts"

export interface Query<Sort extends string> {
  readonly filter?: string
  readonly sort?: Sort
  readonly order?: "ascending" | "descending"
  readonly limit?: number
  readonly after?: string
}

export interface ListPage<Row> {
  readonly items: ReadonlyArray<Row>
  readonly total: number
  readonly next?: string | undefined
}

export interface ListingOptions<Row, Sort extends string> {
  readonly what: string
  readonly sorts: ReadonlyArray<Sort>
  readonly sort: Sort
  readonly order: "ascending" | "descending"
  readonly keyOf: (row: Row) => string
  readonly fetch: (api: Calls, query: Query<Sort>) => Effect.Effect<ListPage<Row>, unknown>
}

/** About four screens: what is drawn without virtual rows. */
const pageSize = 200

type Host = ReactiveControllerHost & EventTarget & { readonly place: Place }

export class Listing<Row, Sort extends string> {
  readonly subject: Subject<ListPage<Row>>
  rows: ReadonlyArray<Row> = []
  total = 0
  next: string | undefined
  newer = 0
  readonly #host: Host
  readonly #options: ListingOptions<Row, Sort>
  #latest: ListPage<Row> | undefined
  #shownFor: string | undefined

  constructor(host: Host, options: ListingOptions<Row, Sort>) {
    this.#host = host
    this.#options = options
    this.subject = Subject.call<ListPage<Row>, unknown>(
      host,
      {
        what: options.what,
        follow: "map",
        key: () => this.#key,
        isEmpty: (page) => page.total === 0,
        onValue: (page) => this.#arrived(page)
      },
      () => {
        const query = this.#query
        return (api) => options.fetch(api, query)
      }
    )
  }

  get filter(): string {
    return this.#host.place.query.get("filter") ?? ""
  }
  get sort(): Sort {
    const asked = this.#host.place.query.get("sort")
    return this.#options.sorts.find((sort) => sort === asked) ?? this.#options.sort
  }
  get order(): "ascending" | "descending" {
    const asked = this.#host.place.query.get("order")
    return asked === "ascending" || asked === "descending" ? asked : this.#options.order
  }
  get selected(): string | undefined {
    const asked = this.#host.place.query.get("select")
    return asked !== null && /^[1-9]\d{0,18}$/.test(asked) ? asked : undefined
  }
  /** The appliance could not read the filter: where, and what it expected. */
  get filterFault(): FilterFault | undefined {
    const reading = this.subject.reading
    if (reading._tag !== "failed" || reading.fault.code !== "FilterInvalid") return undefined
    const { message, position } = reading.fault.error as FilterInvalid
    return { message, position }
  }

  get #key(): string {
    return JSON.stringify(this.#query)
  }
  get #query(): Query<Sort> {
    return { ...(this.filter === "" ? {} : { filter: this.filter }), sort: this.sort, order: this.order, limit: pageSize }
  }

  #take(page: ListPage<Row>): void {
    this.rows = page.items
    this.total = page.total
    this.next = page.next
    this.newer = 0
    this.#latest = undefined
  }

  #arrived(page: ListPage<Row>): void {
    if (this.#shownFor !== this.#key || this.rows.length === 0) {
      this.#shownFor = this.#key
      this.#take(page)
      return
    }
    const { keyOf } = this.#options
    const fresh = new Map(page.items.map((row) => [keyOf(row), row]))
    this.rows = this.rows.map((row) => fresh.get(keyOf(row)) ?? row)
    for (const row of this.rows) fresh.delete(keyOf(row))
    this.newer = fresh.size
    this.total = page.total
    this.#latest = page
  }

  readonly showNewer = (): void => {
    if (this.#latest !== undefined) this.#take(this.#latest)
    this.#host.requestUpdate()
  }

  readonly loadMore = (): void => {
    const after = this.next
    const key = this.#key
    if (after === undefined) return
    act((api) => this.#options.fetch(api, { ...this.#query, after })).then(
      (page) => {
        if (key !== this.#key) return
        const shown = new Set(this.rows.map(this.#options.keyOf))
        this.rows = [...this.rows, ...page.items.filter((row) => !shown.has(this.#options.keyOf(row)))]
        this.next = page.next
        this.#host.requestUpdate()
      },
      (error) => this.#host.dispatchEvent(new ToastEvent(`Could not load more: ${faultOf(error).message}`, "warning"))
    )
  }

  readonly onFilter = (event: FilterEvent): void => revise({ filter: event.filter, select: undefined })
  readonly onSort = (event: SortEvent): void => {
    const usual = event.key === this.#options.sort && event.order === this.#options.order
    revise({ sort: usual ? undefined : event.key, order: usual ? undefined : event.order }, { replace: true })
  }
  /** Selecting another row takes the place of the last one in the history: Back leaves the list, not one row. */
  readonly onSelect = (event: SelectEvent): void => revise({ select: event.key }, { replace: this.selected !== undefined })
}
