//! What a server does with a WebSocket once it is open (RFC 6455 section 5).

use super::server::{Behaviour, Stream};
use flate2::{Compress, Compression, FlushCompress};
use std::io;
use std::sync::OnceLock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The right answer to the page's fixed key.
pub(super) const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// `compressed` says whether the client offers permessage-deflate.
pub(super) async fn after_switch(
    behaviour: Behaviour,
    compressed: bool,
    mut stream: impl Stream,
) -> io::Result<()> {
    use Behaviour as B;
    let bomb = match behaviour {
        B::InflatesWithoutEnd if compressed => Some((zeros(true), false)),
        B::InflatesAgainAndAgain if compressed => Some((zeros(false), true)),
        _ => None,
    };
    if let Some((payload, again)) = bomb {
        let grant = "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
        let head = SWITCH.replace("\r\n\r\n", &format!("\r\n{grant}"));
        stream.write_all(head.as_bytes()).await?;
        return inflate(&mut stream, payload, again).await;
    }
    stream.write_all(SWITCH.as_bytes()).await?;
    let s = &mut stream;
    match behaviour {
        B::PingFlood => loop {
            s.write_all(&b"\x89\x04ping".repeat(1000)).await?;
        },
        B::HugeFrame => s.write_all(b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff").await?,
        B::EndlessFrame => {
            s.write_all(b"\x82\x7f\x00\x00\x00\xff\xff\xff\xff\xff").await?;
            loop {
                s.write_all(&[b'x'; 8192]).await?;
            }
        }
        B::FragmentedPing => s.write_all(b"\x09\x02pi\x80\x02ng").await?,
        B::LonelyContinuation => s.write_all(b"\x80\x03abc").await?,
        B::EndlessFragments => {
            s.write_all(b"\x01\x01a").await?;
            loop {
                s.write_all(&b"\x00\x01b".repeat(1000)).await?;
            }
        }
        B::MaskedFrames => s.write_all(b"\x81\x83\x01\x02\x03\x04`aa").await?,
        B::ReservedBits => s.write_all(b"\xf3\x03abc").await?,
        B::OddClose => s.write_all(b"\x88\x01\x03").await?,
        B::FrameGarbage => s.write_all(&b"\xff\x00HTTP/1.1 400 no\r\n\r\n".repeat(50)).await?,
        B::NotUtf8 => s.write_all(b"\x81\x04\xff\xfe\xc0\x80").await?,
        // Dropped with the client's frames unread, which the kernel answers with RST.
        B::ResetAfterSwitch => return s.read_u8().await.map(drop),
        _ => return echo(s).await,
    }
    let mut sink = [0; 4096];
    while s.read(&mut sink).await? > 0 {}
    Ok(())
}

/// A compressed message that is a thousand times as long: once, of as many bytes
/// as a client takes, or small ones without end.
async fn inflate(stream: &mut impl Stream, payload: &[u8], again: bool) -> io::Result<()> {
    let length = (payload.len() as u64).to_be_bytes();
    let frame = [&[0xc1, 127], &length[..], payload].concat();
    stream.write_all(&frame).await?;
    if again {
        loop {
            stream.write_all(&frame).await?;
        }
    }
    let mut sink = [0; 4096];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}

/// A gigabyte of zeros as one message of a megabyte; or one megabyte.
pub(super) fn zeros(many: bool) -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    static SMALL: OnceLock<Vec<u8>> = OnceLock::new();
    match many {
        true => BOMB.get_or_init(|| deflated((1 << 20) - 4096)),
        false => SMALL.get_or_init(|| deflated(1)),
    }
}

/// Zeros until they take so many bytes, as a message (RFC 7692 section 7.2.1).
fn deflated(bytes: usize) -> Vec<u8> {
    let mut deflate = Compress::new(Compression::best(), false);
    let mut out = Vec::with_capacity(2 << 20);
    let zeros = vec![0; 1 << 20];
    while out.len() < bytes {
        let before = deflate.total_in();
        let mut at = 0;
        while at < zeros.len() {
            let _ = deflate.compress_vec(&zeros[at..], &mut out, FlushCompress::Partial);
            at = usize::try_from(deflate.total_in() - before).unwrap_or(zeros.len());
        }
    }
    let _ = deflate.compress_vec(&[], &mut out, FlushCompress::Sync);
    out.truncate(out.len().saturating_sub(4));
    out
}

/// Answers as a server should.
async fn echo(stream: &mut impl Stream) -> io::Result<()> {
    loop {
        let mut start = [0; 6];
        stream.read_exact(&mut start).await?;
        let mut payload = vec![0; usize::from(start[1] & 0x7f)];
        stream.read_exact(&mut payload).await?;
        for (at, byte) in payload.iter_mut().enumerate() {
            *byte ^= start[2 + at % 4];
        }
        let opcode = if start[0] == 0x89 { 0x8a } else { start[0] };
        stream.write_all(&[&[opcode, payload.len() as u8], &payload[..]].concat()).await?;
        if opcode == 0x88 {
            return stream.shutdown().await;
        }
    }
}
