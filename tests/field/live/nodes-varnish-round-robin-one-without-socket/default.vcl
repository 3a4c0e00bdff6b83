vcl 4.1;
import directors;
backend blue { .host = "127.0.0.1"; .port = "{backend_port}"; }
backend green { .host = "127.0.0.1"; .port = "{other_port}"; }
sub vcl_init {
    new console = directors.round_robin();
    console.add_backend(blue);
    console.add_backend(green);
}
sub vcl_recv {
    set req.backend_hint = console.backend();
    if (req.http.upgrade ~ "(?i)websocket") { return (pipe); }
    return (pass);
}
sub vcl_pipe {
    if (req.http.upgrade) {
        set bereq.http.upgrade = req.http.upgrade;
        set bereq.http.connection = req.http.connection;
    }
    return (pipe);
}
