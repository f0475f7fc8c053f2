//! RTSP cameras (simulated).
