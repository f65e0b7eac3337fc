export {
  currentPostmark,
  isPostmarkError,
  type ParsedPostmarkFields,
  PostmarkError,
  type PostmarkFields,
  type PostmarkProblem,
  runWithPostmark,
  updatePostmark,
} from '@postmark-smtp/core'
export { type PostmarkMiddleware, postmarkContext, reenterPostmark } from './postmark-context.js'
