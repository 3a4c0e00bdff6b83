vcl 4.1;
backend console { .host = "127.0.0.1"; .port = "{dead_port}"; }
sub vcl_recv {
    if (req.url == "/403") { return (synth(403)); }
    return (pass);
}
