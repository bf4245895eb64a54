/** Events that ui elements send: bubbling, composed, each a class, so that a listener has its fields typed. */

abstract class UiEvent extends Event {
  constructor(type: string) {
    super(type, { bubbles: true, composed: true, cancelable: true })
  }
}

/** A row or a thing was selected; undefined: nothing is any more. */
export class SelectEvent extends UiEvent {
  static readonly type = "net-select"
  readonly key: string | undefined
  constructor(key: string | undefined) {
    super(SelectEvent.type)
    this.key = key
  }
}

export class OpenEvent extends UiEvent {
  static readonly type = "net-open"
  readonly key: string
  constructor(key: string) {
    super(OpenEvent.type)
    this.key = key
  }
}

export class SortEvent extends UiEvent {
  static readonly type = "net-sort"
  readonly key: string
  readonly order: "ascending" | "descending"
  constructor(key: string, order: "ascending" | "descending") {
    super(SortEvent.type)
    this.key = key
    this.order = order
  }
}

/** The end of a list that goes on was reached. */
export class MoreEvent extends UiEvent {
  static readonly type = "net-more"
  constructor() {
    super(MoreEvent.type)
  }
}

/** The rows that wait behind *12 newer — show* are wanted. */
export class NewerEvent extends UiEvent {
  static readonly type = "net-newer"
  constructor() {
    super(NewerEvent.type)
  }
}

export class FilterEvent extends UiEvent {
  static readonly type = "net-filter"
  readonly filter: string
  constructor(filter: string) {
    super(FilterEvent.type)
    this.filter = filter
  }
}

export class CloseEvent extends UiEvent {
  static readonly type = "net-close"
  constructor() {
    super(CloseEvent.type)
  }
}

export class RetryEvent extends UiEvent {
  static readonly type = "net-retry"
  constructor() {
    super(RetryEvent.type)
  }
}

export class WidthEvent extends UiEvent {
  static readonly type = "net-width"
  readonly width: number
  constructor(width: number) {
    super(WidthEvent.type)
    this.width = width
  }
}

/** A person moved a thing to another place of its picture. */
export class MoveEvent extends UiEvent {
  static readonly type = "net-move"
  readonly id: string
  readonly at: { readonly x: number; readonly y: number }
  constructor(id: string, at: { readonly x: number; readonly y: number }) {
    super(MoveEvent.type)
    this.id = id
    this.at = at
  }
}

/** A menu is wanted, of a thing or (undefined) of what lies around it, at a point of the window. */
export class MenuEvent extends UiEvent {
  static readonly type = "net-menu"
  readonly key: string | undefined
  readonly x: number
  readonly y: number
  constructor(key: string | undefined, x: number, y: number) {
    super(MenuEvent.type)
    this.key = key
    this.x = x
    this.y = y
  }
}

/** A time range was dragged on a chart, ms since 1970. */
export class RangeEvent extends UiEvent {
  static readonly type = "net-range"
  readonly from: number
  readonly until: number
  constructor(from: number, until: number) {
    super(RangeEvent.type)
    this.from = from
    this.until = until
  }
}

export interface ToastAction {
  readonly label: string
  readonly run: () => void
}

/** Says something for a moment at the foot of the page. */
export class ToastEvent extends UiEvent {
  static readonly type = "net-toast"
  readonly text: string
  readonly severity: "info" | "warning" | "critical"
  /** One thing to do about it while it stands, such as Undo. */
  readonly action: ToastAction | undefined
  constructor(text: string, severity: "info" | "warning" | "critical" = "info", action?: ToastAction) {
    super(ToastEvent.type)
    this.text = text
    this.severity = severity
    this.action = action
  }
}
