import { isRecord } from '../problems/describe.js'
import { splitBlock } from './header-lines.js'
import { isPostmarkHeader } from './header-shapes.js'

/** The longest line that Nodemailer does not fold. */
const LONGEST_LINE = 75
/** An address and a name that Nodemailer 7 to 10 write unchanged. */
const ADDRESS =
  /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@(?:[a-z0-9](?:-?[a-z0-9])*\.)+[a-z]{2,}$/
const NAME = /^[A-Za-z0-9]+(?: [A-Za-z0-9]+)*$/
const MAILBOX = /^([^<>]+) <([^<>]+)>$/

/** What a transport needs from a message that is composed except for its header block. */
export interface HeadedMessage {
  readonly childNodes: readonly never[]
  readonly _headers: readonly never[]
  getEnvelope(): { readonly from: unknown; readonly to: readonly string[] }
  messageId(): string
  buildHeaders(): string
}

/**
 * A header block that differs between emails only in recipient, Message-ID and date. If these are simple, the block of
 * another email is written from it without Nodemailer, byte for byte the same. Everything else is left to Nodemailer.
 */
export class SharedHead {
  readonly #lines: readonly string[]
  readonly #from: unknown
  readonly #messageId: string
  /** For the lines that differ. */
  readonly #to: number
  readonly #id: number
  readonly #date: number

  private constructor(lines: readonly string[], from: unknown, messageId: string, hasOwnDate: boolean) {
    const find = (name: string) => lines.findIndex((line) => line.startsWith(`${name}: `))
    this.#lines = lines
    this.#from = from
    this.#messageId = messageId
    this.#to = find('To')
    this.#id = lines.findIndex((line) => line.startsWith('Message-ID:') && line.includes(messageId))
    this.#date = hasOwnDate ? -1 : find('Date')
  }

  /**
   * @param block as built by Nodemailer
   * @param hasOwnDate whether the message sets its date; otherwise it is the time of composing
   * @returns undefined if other lines depend on the recipient
   */
  static of(block: string, from: unknown, messageId: string, hasOwnDate: boolean): SharedHead | undefined {
    const lines = splitBlock(block).filter((line) => !isPostmarkHeader(line.slice(0, line.indexOf(':'))))
    const names = lines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase())
    const counts = ['to', 'message-id', 'date', 'cc', 'bcc'].map(
      (wanted) => names.filter((name) => name === wanted).length,
    )
    if (counts.join() !== '1,1,1,0,0') return undefined
    const head = new SharedHead(lines, from, messageId, hasOwnDate)
    return head.#to < 0 || head.#id < 0 || (head.#date < 0 && !hasOwnDate) ? undefined : head
  }

  /**
   * A message to another recipient. Undefined if Nodemailer has to write it.
   * @param messageId as long as that of this head
   */
  write(to: unknown, messageId: string): HeadedMessage | undefined {
    const mailbox = readMailbox(to)
    if (!mailbox || messageId.length !== this.#messageId.length) return undefined
    const { name, address } = mailbox
    const line = name === undefined ? `To: ${address}` : `To: ${name} <${address}>`
    if (line.length > LONGEST_LINE) return undefined
    const lines = [...this.#lines]
    lines[this.#to] = line
    lines[this.#id] = lines[this.#id]!.replace(this.#messageId, () => messageId)
    if (this.#date >= 0) lines[this.#date] = `Date: ${new Date().toUTCString().replace(/GMT/, '+0000')}`
    const block = lines.join('\r\n')
    const envelope = { from: this.#from, to: [address] }
    return {
      childNodes: [],
      _headers: [],
      getEnvelope: () => envelope,
      messageId: () => messageId,
      buildHeaders: () => block,
    }
  }
}

function readMailbox(
  to: unknown,
): { readonly name: string | undefined; readonly address: string } | undefined {
  if (typeof to === 'string') {
    if (ADDRESS.test(to)) return { name: undefined, address: to }
    const [, name, address] = MAILBOX.exec(to) ?? []
    return name !== undefined && NAME.test(name) && ADDRESS.test(address!)
      ? { name, address: address! }
      : undefined
  }
  if (!isRecord(to) || Object.keys(to).some((key) => key !== 'name' && key !== 'address')) return undefined
  const { name, address } = to
  if (typeof address !== 'string' || !ADDRESS.test(address)) return undefined
  if (name === undefined || name === '') return { name: undefined, address }
  return typeof name === 'string' && NAME.test(name) ? { name, address } : undefined
}
