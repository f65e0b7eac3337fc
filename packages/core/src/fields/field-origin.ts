import type { Merged } from './merge-fields.js'

/** Where the value of a field comes from. */
export interface FieldOrigin {
  readonly value: unknown
  /**
   * A header of the message or of its `raw`, its `postmark`, a scope (counted from the innermost, which is 0),
   * the defaults of its stream or of the transporter, or the `correlationId` option.
   */
  readonly level:
    | 'headers'
    | 'raw'
    | 'postmark'
    | `context[${number}]`
    | 'streams'
    | 'defaults'
    | 'correlationId'
}

/** By field; metadata by `metadata.<key>`. */
export type FieldOrigins = Readonly<Record<string, FieldOrigin>>

/** A level as an origin names it. */
interface NamedLevel {
  readonly name: string
  readonly scope?: number | undefined
}

/** Names the level of each value of a fold; what was cleared is there with `null`. */
export function toOrigins(merged: Merged, levels: readonly NamedLevel[]): FieldOrigins {
  const nameOf = (index: number): FieldOrigin['level'] => {
    // What no level gave was added by the option.
    const { name, scope }: NamedLevel = levels[index] ?? { name: 'correlationId' }
    return scope === undefined ? (name as FieldOrigin['level']) : `context[${scope}]`
  }
  return Object.fromEntries([
    ...[...merged.fields].map(([field, { value, level }]) => [field, { value, level: nameOf(level) }]),
    ...[...merged.metadata.values()].map(({ key, value, level }) => [
      `metadata.${key}`,
      { value, level: nameOf(level) },
    ]),
  ])
}
