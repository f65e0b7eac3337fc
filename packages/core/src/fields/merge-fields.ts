import type { PostmarkFields } from '../vocabulary/vocabulary.js'
import { visitEntries } from './read-entries.js'

/** One level of fields, with the name that explanations and warnings use for it. */
export interface Level<F extends PostmarkFields = PostmarkFields> {
  readonly name: string
  readonly fields: F
}

/** A metadata entry of the merged result, and the index of the level it came from. */
interface Entry {
  readonly key: string
  readonly value: unknown
  readonly level: number
}

/** The fold of all levels, with the origin of each value. */
export interface Merged {
  /** Field → its value and level; metadata is in `metadata`. */
  readonly fields: ReadonlyMap<string, { readonly value: unknown; readonly level: number }>
  /** Metadata by lower-case key. A value of `null` clears what outer levels have set. */
  readonly metadata: Map<string, Entry>
}

/** Folds levels from the outermost to the innermost: the nearer level wins, and metadata is merged key by key. */
export function foldLevels(levels: readonly PostmarkFields[]): Merged {
  const fields = new Map<string, { value: unknown; level: number }>()
  const metadata = new Map<string, Entry>()
  for (let level = 0; level < levels.length; level++) {
    const given = levels[level]!
    for (const field of Object.keys(given)) {
      const value = given[field as keyof PostmarkFields]
      if (value === undefined) continue
      if (field !== 'metadata') fields.set(field, { value, level })
      else if (value === null) metadata.clear()
      else {
        visitEntries(value, (key, entry) => {
          if (entry === undefined) return
          const lower = key.toLowerCase()
          // Deleted first, so that the nearest level's spelling and place count.
          metadata.delete(lower)
          metadata.set(lower, { key, value: entry, level })
        })
      }
    }
  }
  return { fields, metadata }
}

/** The fields of a fold, without cleared fields, unless the nulls must clear outer levels. */
export function toFields<F extends PostmarkFields>(merged: Merged, keepNulls = false): F {
  const fields: Record<string, unknown> = {}
  for (const [field, { value }] of merged.fields) if (keepNulls || value !== null) fields[field] = value
  const kept: [string, unknown][] = []
  for (const { key, value } of merged.metadata.values())
    if (keepNulls || value !== null) kept.push([key, value])
  if (kept.length > 0) fields.metadata = Object.fromEntries(kept)
  return fields as F
}

/**
 * Merges levels of fields, outermost first. The nearer level wins. Metadata is merged key by key: keys are compared
 * case-insensitively, and the nearest spelling is kept. `null` clears.
 * @example mergeFields({ tag: 'app', metadata: { a: '1' } }, { tag: 'welcome', metadata: { b: '2' } })
 * // { tag: 'welcome', metadata: { a: '1', b: '2' } }
 */
export function mergeFields<F extends PostmarkFields>(...levels: readonly F[]): F {
  return toFields(foldLevels(levels))
}
