"""The stages of one camera in their threads, several cameras beside each other, and what that costs."""
