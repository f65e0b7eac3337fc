import { apiError } from './api-error.js'
import { readEastern } from './eastern-time.js'

/** The query of a request. The case of names is ignored: the documents say `fromdate`, the client sends `fromDate`. */
export class ApiQuery {
  readonly #values = new Map<string, string>()
  readonly #code: number

  constructor(search: URLSearchParams, code: number) {
    for (const [name, value] of search) this.#values.set(name.toLowerCase(), value)
    this.#code = code
  }

  /** The same query with another error code. */
  withCode(code: number): ApiQuery {
    return new ApiQuery(new URLSearchParams([...this.#values]), code)
  }

  /** A value; an empty one counts as none. */
  get(name: string): string | undefined {
    return this.#values.get(name) || undefined
  }

  /** The names that begin with a prefix, without it and in lower case, with their values. */
  startingWith(prefix: string): [rest: string, value: string][] {
    return [...this.#values]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value])
  }

  /** One of several values, whatever its case. */
  choice<T extends string>(name: string, values: readonly T[], code: number = this.#code): T | undefined {
    const text = this.get(name)
    if (text === undefined) return undefined
    const value = values.find((candidate) => candidate.toLowerCase() === text.toLowerCase())
    if (value !== undefined) return value
    throw apiError(code, `'${name}' must be one of: ${values.join(', ')}.`)
  }

  /** True or false, which PHP writes as 1 and 0. */
  flag(name: string): boolean | undefined {
    const value = this.choice(name, ['true', 'false', '1', '0'])
    return value === undefined ? undefined : value === 'true' || value === '1'
  }

  /** Whether a time lies between `fromdate` and `todate`, both inclusive. */
  period(): (at: Date) => boolean {
    const from = this.#date('fromdate')?.first ?? Number.NEGATIVE_INFINITY
    const to = this.#date('todate')?.last ?? Number.POSITIVE_INFINITY
    return (at) => at.getTime() >= from && at.getTime() <= to
  }

  /** `count` and `offset`, which are required. */
  paging(): { count: number; offset: number } {
    const [count, offset] = [this.#number('count'), this.#number('offset')]
    if (count < 1 || count > MOST_PER_PAGE)
      throw apiError(this.#code, `'count' must be from 1 to ${MOST_PER_PAGE}.`)
    if (count + offset > MOST_IN_ALL)
      throw apiError(this.#code, `'count' and 'offset' together cannot exceed ${MOST_IN_ALL}.`)
    return { count, offset }
  }

  #number(name: string): number {
    const text = this.get(name)
    if (text === undefined) throw apiError(this.#code, `The parameter '${name}' is required.`)
    if (/^\d{1,9}$/.test(text)) return Number(text)
    throw apiError(this.#code, `The parameter '${name}' must be a whole number, 0 or more.`)
  }

  #date(name: string) {
    const text = this.get(name)
    if (text === undefined) return undefined
    const date = readEastern(text)
    if (date === undefined)
      throw apiError(this.#code, `The parameter '${name}' must be a date such as 2026-03-01T08:30:00.`)
    return date
  }
}

const MOST_PER_PAGE = 500
const MOST_IN_ALL = 10_000

/** One page of a list, the newest first, and how many there are in all. */
export function toPage<T>(
  items: readonly T[],
  matches: (item: T) => boolean,
  { count, offset }: { count: number; offset: number },
): { total: number; page: T[] } {
  const page: T[] = []
  let total = 0
  for (let index = items.length - 1; index >= 0; index -= 1) {
    const item = items[index]!
    if (!matches(item)) continue
    if (total >= offset && page.length < count) page.push(item)
    total += 1
  }
  return { total, page }
}
