/** @example '00000007.log', '00000008-snapshot.log' */
export type SegmentName = `${string}.log`

const NAME = /^(\d{8})(-snapshot)?\.log$/

/** The segments among the files of a directory, in their order. */
export function listSegments(files: readonly string[]): SegmentName[] {
  return files.filter((file): file is SegmentName => NAME.test(file)).sort()
}

/** The name of a segment. One with a snapshot replaces all segments before it. */
export function toName(number: number, withSnapshot = false): SegmentName {
  return `${String(number).padStart(8, '0')}${withSnapshot ? '-snapshot' : ''}.log`
}

export function numberOf(name: SegmentName): number {
  return Number(NAME.exec(name)![1])
}

/** Whether it begins with a snapshot, which replaces everything before it. */
export function isStart(name: SegmentName): boolean {
  return NAME.exec(name)![2] !== undefined
}
