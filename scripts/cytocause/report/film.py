"""Frames to a film that plays in every browser: H.264, yuv420p, index in front; the same frames give the same bytes.

One thread and no time stamps or version strings in the file: x264's threads decide where slices end.
"""

import imageio_ffmpeg

BOXES = {b"ftyp", b"moov", b"mdat"}  # what a finished MP4 holds: kind, index, pictures


def encode(frames, path, *, width, height, frames_per_second=10.0, quality=26):
    """Write RGB frames to an MP4 file, one at a time.

    Parameters
    ----------
    frames : iterable of (height, width, 3) uint8, sides even
    path : where to, name ending in .mp4
    quality : constant rate factor of x264, 0..51, smaller is better

    Raises
    ------
    OSError
        when ffmpeg ended before the film did (disk full, killed).
    """
    writer = imageio_ffmpeg.write_frames(
        str(path),
        (width, height),
        fps=frames_per_second,
        codec="libx264",
        quality=None,
        macro_block_size=2,
        pix_fmt_out="yuv420p",
        ffmpeg_log_level="error",
        output_params=[
            *("-crf", str(int(quality)), "-preset", "veryfast", "-threads", "1"),
            *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1", "-movflags", "+faststart"),
        ],
    )
    writer.send(None)
    try:
        for frame in frames:
            writer.send(frame.tobytes())
    finally:
        writer.close()
    if not is_whole(path):  # the writer does not look at how ffmpeg ended
        raise OSError(f"ffmpeg ended before the film {path} was finished; the disk may be full, or ffmpeg was killed.")


def is_whole(path):
    """Whether an MP4 file has its index and ends where its last box ends."""
    found = set()
    with open(path, "rb") as file:
        end = file.seek(0, 2)
        at = 0
        while at + 8 <= end:
            file.seek(at)
            head = file.read(16)
            size = int.from_bytes(head[:4], "big")
            size = int.from_bytes(head[8:16], "big") if size == 1 else size
            if size < 8:
                return False
            found.add(head[4:8])
            at += size
    return at == end and found >= BOXES
