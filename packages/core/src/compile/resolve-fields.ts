import type { ContextLevel } from '../context/context.js'
import type { FieldOrigins } from '../fields/field-origin.js'
import { toOrigins } from '../fields/field-origin.js'
import { asWarning, fitLengths } from '../fields/fit-fields.js'
import type { Level } from '../fields/merge-fields.js'
import { foldLevels, toFields } from '../fields/merge-fields.js'
import type { Reading } from '../fields/read-fields.js'
import { streamProblem } from '../fields/stream-problem.js'
import type { HeaderReading } from '../message/message-headers.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { closeMatch, NO_PROBLEMS, UNKNOWN_STREAM } from '../problems/problem.js'
import type { ParsedPostmarkFields } from '../vocabulary/vocabulary.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import type { SparingLevel } from './metadata-room.js'
import { correlate, dropSurplus, refer, tooManyTogether } from './metadata-room.js'
import type { CompileSettings } from './settings.js'

/** All sources of an email's fields. */
export interface FieldSources {
  /** From createTransport's second argument. */
  readonly transport: readonly Reading[]
  readonly context: readonly ContextLevel[]
  readonly message: Reading
  readonly headers: HeaderReading
  /** The headers of a message given as `raw`. They are already present, so they win. */
  readonly raw?: HeaderReading | undefined
  /** The hash of the idempotency key of the email. */
  readonly reference?: string | undefined
}

/** The fields of one email, and the problems found. */
export interface ResolvedFields {
  readonly fields: ParsedPostmarkFields
  readonly correlationId: string | undefined
  /** Returns which level each field came from. Computed on request. */
  origins(): FieldOrigins
  /** Limits that the caller's values break. `preflight` decides what happens. */
  readonly errors: readonly PostmarkProblem[]
  /** Problems that reject in every mode. */
  readonly fatal: readonly PostmarkProblem[]
  readonly warnings: readonly PostmarkProblem[]
}

/**
 * Merges the levels of one email. Values from the context are fitted; values from the caller are kept and their problems
 * reported.
 */
export function resolveFields(sources: FieldSources, settings: CompileSettings): ResolvedFields {
  const readings = [...sources.transport, sources.message, sources.headers]
  if (sources.raw) readings.push(sources.raw)
  const problems: PostmarkProblem[] = []
  for (const reading of readings) problems.push(...reading.problems)
  const warnings: PostmarkProblem[] = []
  for (const level of sources.context) warnings.push(...level.problems.map(asWarning))
  const { levels, merged, taken, correlationId, full } = mergeLevels(sources, settings)
  if (taken) (taken.severity === 'warning' ? warnings : problems).push(taken)
  warnings.push(...full)
  const tooMany = tooManyTogether(merged.metadata, readings)
  if (tooMany) problems.push(tooMany)

  const stream = merged.fields.get('messageStream')
  const path = stream && pathOfStream(levels[stream.level]!)
  const fatal =
    path && typeof stream.value === 'string' && checkStream(stream.value, path, settings, warnings)
  const fields = toFields<ParsedPostmarkFields>(merged)
  const origins = originsLater(sources, settings, correlationId)
  if (!fatal && problems.length === 0 && warnings.length === 0)
    return { fields, correlationId, origins, errors: NO_PROBLEMS, fatal: NO_PROBLEMS, warnings: NO_PROBLEMS }
  const counts = (problem: PostmarkProblem) => !fatal || problem.path !== path
  return {
    fields,
    correlationId,
    origins,
    errors: problems.filter((problem) => problem.severity === 'error' && counts(problem)),
    fatal: fatal ? [fatal] : [],
    warnings: [
      ...warnings.filter(counts),
      ...problems.filter((problem) => problem.severity === 'warning' && counts(problem)),
    ],
  }
}

/**
 * Merges the levels and makes room for required entries.
 * @param correlation its value, if it is known
 */
function mergeLevels(sources: FieldSources, settings: CompileSettings, correlation?: string) {
  const levels = listLevels(sources, settings)
  const merged = foldLevels(levels.map((level) => level.fields))
  const { metadata } = merged
  const taken = sources.reference === undefined ? undefined : refer(metadata, sources.reference, levels)
  const full = dropSurplus(metadata, levels, settings.requireScope?.metadata)
  const { correlationKey } = settings
  const correlationId = correlationKey && correlate(metadata, correlationKey, full, correlation)
  return { levels, merged, taken, correlationId, full }
}

/**
 * Merges once more on request, which is rare. Keeping the level of each value takes more memory than everything else
 * that is kept of an email, and thousands of emails may wait.
 */
function originsLater(
  sources: FieldSources,
  settings: CompileSettings,
  correlationId: string | undefined,
): () => FieldOrigins {
  return () => {
    const { levels, merged } = mergeLevels(sources, settings, correlationId)
    return toOrigins(merged, levels)
  }
}

interface ResolvingLevel extends SparingLevel {
  readonly fields: ParsedPostmarkFields
  /** The number of the scope, counted from the innermost. */
  readonly scope: number | undefined
}

/** The levels that set any field, from the outermost to the nearest. */
function listLevels(sources: FieldSources, settings: CompileSettings): ResolvingLevel[] {
  const fits = settings.preflight === 'fit'
  const levels: ResolvingLevel[] = []
  const add = (name: string, fields: ParsedPostmarkFields, fit: boolean, spare: boolean, scope?: number) => {
    if (!isEmpty(fields)) levels.push({ name, fields: fit ? fitLengths(fields) : fields, spare, scope })
  }
  add('defaults', settings.defaults, fits, true)
  for (const { fields } of sources.transport) add('defaults', fields, fits, true)
  const outermost = levels.length
  for (const { name, fields, scope } of sources.context) add(name, fields, true, true, scope)
  add('postmark', sources.message.fields, fits, fits)
  add('headers', sources.headers.fields, fits, fits)
  if (sources.raw) add('raw', sources.raw.fields, fits, fits)
  if (settings.streams) {
    const fields = settings.streams.fields.get(nearestStream(levels) ?? '')
    if (fields) levels.splice(outermost, 0, { name: 'streams', fields, spare: true, scope: undefined })
  }
  return levels
}

function isEmpty(fields: ParsedPostmarkFields): boolean {
  for (const _field in fields) return false
  return true
}

function pathOfStream({ name }: ResolvingLevel): string {
  const isHeader = name === 'headers' || name === 'raw'
  return `${name}.${isHeader ? POSTMARK_FIELDS.messageStream.header : 'messageStream'}`
}

/** The problem with the stream of an email. An undeclared stream may be a typo, so it is reported. */
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
    limit: `one of ${[...streams.known].join(', ')}`,
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
