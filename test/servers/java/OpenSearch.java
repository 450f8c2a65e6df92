import java.nio.file.Path;
import org.codelibs.opensearch.runner.OpenSearchRunner;
import org.opensearch.common.settings.Settings;

/** One node: `OpenSearch FOLDER PORT SNAPSHOTS [plugin class]`. It ends with its input. */
class OpenSearch {
  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    int port = Integer.parseInt(args[1]);
    String plugins = args.length > 3 ? args[3] : "";
    OpenSearchRunner runner = new OpenSearchRunner();
    runner.setMaxHttpPort(65535);
    runner.onBuild((number, settings) -> {
      settings.put("http.port", port);
      settings.put("network.host", "127.0.0.1");
      settings.putList("path.repo", args[2]);
      settings.put("cluster.routing.allocation.disk.watermark.flood_stage", "2gb");
      settings.put("cluster.routing.allocation.disk.watermark.high", "3gb");
      settings.put("cluster.routing.allocation.disk.watermark.low", "4gb");
    });
    OpenSearchRunner.Configs configs = OpenSearchRunner.newConfigs()
        .basePath(folder.resolve("server").toString()).numOfNode(1).baseHttpPort(port - 1)
        .clusterName("seaworthy").disableESLogger();
    runner.build(plugins.isEmpty() ? configs : configs.pluginTypes(plugins));
    System.out.println("ready");
    while (System.in.read() != -1) {}
    runner.close();
  }
}
