export { type ObserveOptions, observePostmark, type PostmarkObservation } from './observe-postmark.js'
