/** The tags of a repository, asked without any of the action's code; none when it is not there. */
export async function tagsOf(registry: string, path: string): Promise<readonly string[]> {
  const answer = await fetch(`http://${registry}/v2/${path}/tags/list`);
  if (answer.status === 404) return [];
  const { tags } = (await answer.json()) as { tags: readonly string[] | null };
  return (tags ?? []).toSorted();
}
