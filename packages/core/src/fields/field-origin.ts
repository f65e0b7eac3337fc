import type { Merged } from './merge-fields.js'

/** The origin of a field's value. */
export interface FieldOrigin {
  readonly value: unknown
  /**
   * A header of the message or of its `raw`; its `postmark`; a scope, counted from the innermost, which is 0; the
   * defaults of its stream or of the transporter; the `correlationId` option; or the `idempotencyKey` of the message.
   */
  readonly level:
    | 'headers'
    | 'raw'
    | 'postmark'
    | `context[${number}]`
    | 'streams'
    | 'defaults'
    | 'correlationId'
    | 'idempotencyKey'
}

/** The level of a value that was added by an option. */
export const CORRELATION_LEVEL = -1
/** The level of the reference of an idempotency key. */
export const ONCE_LEVEL = -2

/** Origins by field. Metadata entries are listed as `metadata.<key>`. */
export type FieldOrigins = Readonly<Record<string, FieldOrigin>>

/** A level as an origin names it. */
interface NamedLevel {
  readonly name: string
  readonly scope?: number | undefined
}

/** The level of each value of a fold. Cleared values are included as `null`. */
export function toOrigins(merged: Merged, levels: readonly NamedLevel[]): FieldOrigins {
  const nameOf = (index: number): FieldOrigin['level'] => {
    const { name, scope }: NamedLevel = levels[index] ?? {
      name: index === ONCE_LEVEL ? 'idempotencyKey' : 'correlationId',
    }
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
