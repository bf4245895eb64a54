/** A page names what it shows: the last word of *where*, and of the document's title. */
export class TitleEvent extends Event {
  static readonly type = "page-title"
  readonly name: string
  constructor(name: string) {
    super(TitleEvent.type, { bubbles: true, composed: true })
    this.name = name
  }
}
