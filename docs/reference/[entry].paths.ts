import { entryPoints, writeReference } from '../.vitepress/reference.js'

/** One page for each entry point. */
export default {
  paths: () =>
    entryPoints.map((point) => ({ params: { entry: point.entry }, content: writeReference(point) })),
}
