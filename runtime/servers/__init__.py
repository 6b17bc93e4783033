"""Protocol servers: mirrors of the image that put requests, and never see the scan."""
