"""One page object per screen of the site; each gets a `Tab` and the profile's part that describes its screen."""
