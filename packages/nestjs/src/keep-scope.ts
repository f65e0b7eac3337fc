import { capturePostmark } from '@postmark-smtp/core'
import { Observable } from 'rxjs'

/** Subscribes to a stream in the scope that is open here, because Nest subscribes after a method has returned. */
export function keepScope<T>(source: Observable<T>): Observable<T> {
  const reenter = capturePostmark()
  return new Observable((subscriber) => reenter(() => source.subscribe(subscriber)))
}
