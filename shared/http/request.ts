/** A request as the server sees it, and the way it takes. */
export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly followRedirects: boolean;
  /** Where to connect instead of to the URL's host: the near end of a port-forward. */
  readonly via?: { readonly host: string; readonly port: number } | undefined;
}
