import type { ContextLevel } from './context.js'
import type { FieldOrigins } from './field-origin.js'
import { toOrigins } from './field-origin.js'
import { asWarning, fitLengths, surplusWarning } from './fit-fields.js'
import type { Level, Merged } from './merge-fields.js'
import { foldLevels, toFields } from './merge-fields.js'
import type { HeaderReading } from './message-headers.js'
import type { PostmarkProblem } from './problem.js'
import { closeMatch, INVALID_REQUEST, UNKNOWN_STREAM } from './problem.js'
import type { Reading } from './read-fields.js'
import type { CompileSettings } from './settings.js'
import { streamProblem } from './stream-problem.js'
import type { ParsedPostmarkFields } from './vocabulary.js'
import { POSTMARK_FIELDS } from './vocabulary.js'

/** All that a mail's fields come from. */
export interface FieldSources {
  /** From createTransport's second argument. */
  readonly transport: readonly Reading[]
  readonly context: readonly ContextLevel[]
  readonly message: Reading
  readonly headers: HeaderReading
  /** The headers of a message given as `raw`: they are there already, so they win. */
  readonly raw?: HeaderReading
}

/** The fields of one mail, and what was found on the way. */
export interface ResolvedFields {
  readonly fields: ParsedPostmarkFields
  readonly correlationId: string | undefined
  /** Tells which level each field came from; worked out when it is asked for. */
  origins(): FieldOrigins
  /** What the caller wrote against a limit; what happens then is for `preflight` to say. */
  readonly errors: readonly PostmarkProblem[]
  /** What rejects in any mode. */
  readonly fatal: readonly PostmarkProblem[]
  readonly warnings: readonly PostmarkProblem[]
}

const { maxEntries } = POSTMARK_FIELDS.metadata

/** The level of a value that an option added. */
const NO_LEVEL = -1

/** Merges the levels of one mail: context is fitted, what the caller wrote is kept and its problems told. */
export function resolveFields(sources: FieldSources, settings: CompileSettings): ResolvedFields {
  const fits = settings.preflight === 'fit'
  const written = [
    { name: 'postmark', reading: sources.message },
    { name: 'headers', reading: sources.headers },
    ...(sources.raw ? [{ name: 'raw', reading: sources.raw }] : []),
  ]
  const readings = [...sources.transport, ...written.map(({ reading }) => reading)]
  const problems = readings.flatMap((reading) => reading.problems)
  const warnings = sources.context.flatMap((level) => level.problems.map(asWarning))

  const fitted = fits ? fitLengths : (fields: ParsedPostmarkFields) => fields
  const outer: ResolvingLevel[] = [settings.defaults, ...sources.transport.map(({ fields }) => fields)].map(
    (fields) => ({ name: 'defaults', fields: fitted(fields), spare: true }),
  )
  const inner: ResolvingLevel[] = [
    ...sources.context.map(({ name, fields, scope }) => ({
      name,
      scope,
      fields: fitLengths(fields),
      spare: true,
    })),
    ...written.map(({ name, reading }) => ({ name, fields: fitted(reading.fields), spare: fits })),
  ]
  const streamDefaults = settings.streams?.fields.get(nearestStream([...outer, ...inner]) ?? '')
  const levels = streamDefaults
    ? [...outer, { name: 'streams', fields: streamDefaults, spare: true }, ...inner]
    : [...outer, ...inner]

  const merged = foldLevels(levels.map((level) => level.fields))
  const metadata = new Map(merged.metadata)
  warnings.push(...dropSurplus(metadata, levels))
  const count = countSet(metadata)
  if (
    count > maxEntries &&
    readings.every(
      ({ fields }) =>
        Object.values(fields.metadata ?? {}).filter((value) => value !== null).length <= maxEntries,
    )
  ) {
    problems.push(tooManyKeys(count))
  }
  const correlationId = correlate(metadata, count, settings, warnings)

  const stream = merged.fields.get('messageStream')
  const level = levels[stream?.level ?? 0]!.name
  const named =
    level === 'headers' || level === 'raw' ? POSTMARK_FIELDS.messageStream.header : 'messageStream'
  const path = `${level}.${named}`
  const wrongStream =
    typeof stream?.value === 'string' ? checkStream(stream.value, path, settings, warnings) : undefined
  const fatal = wrongStream ? [wrongStream] : []
  const notFatal = (problem: PostmarkProblem) => wrongStream === undefined || problem.path !== path
  return {
    fields: toFields({ fields: merged.fields, metadata }),
    correlationId,
    origins: () => toOrigins({ fields: merged.fields, metadata }, levels),
    errors: problems.filter((problem) => problem.severity === 'error' && notFatal(problem)),
    fatal,
    warnings: [...warnings, ...problems.filter((problem) => problem.severity === 'warning')].filter(notFatal),
  }
}

/** A level, and whether it may lose metadata keys to make room for nearer ones. */
interface ResolvingLevel extends Level<ParsedPostmarkFields> {
  /** Which scope it is, counted from the innermost. */
  readonly scope?: number
  readonly spare: boolean
}

/** What is wrong with the stream of a mail; one that is not declared may be a slip, which is told. */
function checkStream(
  id: string,
  path: string,
  { streams }: CompileSettings,
  warnings: PostmarkProblem[],
): PostmarkProblem | undefined {
  const problem = streamProblem(id, path)
  if (problem || !streams || streams.known.has(id)) return problem
  const near = closeMatch(id, [...streams.known])
  if (!streams.strict && near === undefined) return undefined
  const unknown: PostmarkProblem = {
    path,
    found: `is ${JSON.stringify(id)}, which the transport does not declare`,
    limit: `declared: ${[...streams.known].join(', ')}`,
    cure: near ? `Did you mean "${near}"?` : 'Add it to `streams`.',
    severity: streams.strict ? 'error' : 'warning',
    errorCode: UNKNOWN_STREAM,
  }
  if (streams.strict) return unknown
  warnings.push(unknown)
  return undefined
}

function nearestStream(levels: readonly Level<ParsedPostmarkFields>[]): string | null | undefined {
  for (let index = levels.length - 1; index >= 0; index--) {
    const stream = levels[index]!.fields.messageStream
    if (stream !== undefined) return stream
  }
  return undefined
}

type Metadata = Map<string, Merged['metadata'] extends ReadonlyMap<string, infer E> ? E : never>

function countSet(metadata: Metadata): number {
  let count = 0
  for (const { value } of metadata.values()) if (value !== null) count++
  return count
}

/** Drops keys over the limit from levels that may lose some: the outermost first, and there the last first. */
function dropSurplus(metadata: Metadata, levels: readonly ResolvingLevel[]): PostmarkProblem[] {
  const surplus = countSet(metadata) - maxEntries
  if (surplus <= 0) return []
  const warnings: PostmarkProblem[] = []
  const candidates = [...metadata]
    .reverse()
    .filter(([, entry]) => entry.value !== null && levels[entry.level]!.spare)
  candidates.sort(([, a], [, b]) => a.level - b.level)
  for (const [lower, entry] of candidates.slice(0, surplus)) {
    metadata.delete(lower)
    warnings.push(surplusWarning(`${levels[entry.level]!.name}.metadata.${entry.key}`))
  }
  return warnings
}

function tooManyKeys(count: number): PostmarkProblem {
  const limit = `at most ${maxEntries} keys`
  const cure = 'Remove some, or join values in one key.'
  const found = `has ${count} keys with those of headers`
  return { path: 'postmark.metadata', found, limit, cure, severity: 'error', errorCode: INVALID_REQUEST }
}

/** Adds the correlation ID, or takes the one that somebody gave under its key. */
function correlate(
  metadata: Metadata,
  count: number,
  settings: CompileSettings,
  warnings: PostmarkProblem[],
): string | undefined {
  const key = settings.correlationKey
  if (key === undefined) return undefined
  const given = metadata.get(key.toLowerCase())
  if (given) return given.value === null ? undefined : String(given.value)
  if (count >= maxEntries) {
    const found = `had no place: the mail has ${count} keys`
    const cure = 'The mail went out without it. Remove a key.'
    warnings.push({
      path: `metadata.${key}`,
      found,
      limit: `at most ${maxEntries} keys`,
      cure,
      severity: 'warning',
    })
    return undefined
  }
  const value = crypto.randomUUID()
  metadata.set(key.toLowerCase(), { key, value, level: NO_LEVEL })
  return value
}
