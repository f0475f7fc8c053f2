//! What left the camera is what is stored, and what is stored comes back.

use crate::support::{TestBox, camera, server};

#[test]
fn a_camera_is_recorded_and_given_back() {
    let (mut shop, server) = (TestBox::new(), server());
    server.add("/till/main", camera("till.264"));
    shop.add_camera("till", server.address(), &[]);
    shop.start();
    shop.wait_for_pictures(&["till/main"], 60);
    shop.stop();
    let listed = shop.ls("till/main");
    let clip = shop.export("till/main", listed.footage.coverage.recorded[0], "clip.mp4");
    assert_eq!(clip.clips.len(), 1);
    shop.check(true);
}
