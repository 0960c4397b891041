"""What the words on the page mean, for people who meet them for the first time."""

TERMS = {
    "Network": "A program that has learned from labelled pictures of faces which label people would probably give.",
    "Keypoints": "Fifteen places of a face, such as the corners of the mouth, that a network of their own finds.",
    "Heatmap": "A picture laid over the face: the stronger the colour, the more a method ascribes to that place.",
    "Method": "A way to share out a network's answer among the places of the picture. Methods disagree.",
    "Grad-CAM": "Marks where the network's last, coarse picture of the face raises the answer.",
    "SHAP": "Shares out an answer by comparing the face with average faces, as one shares out a common bill.",
    "Stage": "Layers of a network that work on the same grid. Each stage sees more of the face, and coarser.",
    "Cell": "One place of a stage's grid. It answers to the pixels that it can see, its receptive field.",
    "Map": "What one of a stage's filters finds where: one number a cell.",
    "Shapley value": "What a part adds to the answer, averaged over all orders in which the parts could be shown.",
    "Interaction": "How much more, or less, two parts say together than the sum of what each says on its own.",
    "Saliency": "How strongly the answer reacts when a single pixel changes a little.",
    "Score": "The number behind a probability, before all seven are made to add up to 100 %; also called logit.",
    "Probability": "How often an answer of that sureness was right on test faces, as far as that was measured.",
    "Their mean": "The networks' probabilities averaged, then calibrated as one: right more often than any of them.",
    "Glass box": "A model whose every reason can be read: it adds up what twenty measures of the face say.",
    "Labels that stay possible": "A list so long that it holds the label of 9 in 10 test faces, on average.",
    "Crop": "The square of the photo that a network is shown. It is placed by the eyes and the mouth, never exactly.",
    "Evidence": "What a map marks, added up by part of the face.",
    "Tested map": "The face is hidden bit by bit in the order of the map, to see whether the answer follows.",
    "Random patch": "As much of the picture as was hidden, somewhere else on the face, to compare with.",
    "Mean face": "The average of many faces. It stands where something is hidden.",
    "Neutral face": "How a network reads your face at rest; changes are told against it, for you alone.",
    "Smoothed": "The answers of the last moments averaged, the newest the most, so that they do not flicker.",
    "Person": "A face that is followed from frame to frame by where it is; nobody is recognised.",
    "Agreement": "On how many faces networks name the same emotion. They may agree and all be wrong.",
    "Kappa": "How far two answers agree beyond chance: 0 is as often as by chance, 1 always.",
    "Confidence interval": "A range that holds the true share in 95 of 100 such counts; the fewer faces, the wider.",
    "Principal components": "The two directions in which what a network says of all faces differs the most.",
    "Calibration error": "How far the stated sureness is from how often the network is right.",
}
"""A sentence for each word."""

OF_TAB = {
    "Predict": ("Network", "Keypoints", "Probability", "Their mean", "Glass box", "Labels that stay possible", "Crop"),
    "Live": ("Network", "Keypoints", "Probability", "Their mean", "Smoothed", "Neutral face", "Grad-CAM"),
    "Clips": ("Network", "Probability", "Their mean", "Smoothed", "Person"),
    "Explain": (
        "Heatmap",
        "Method",
        "Grad-CAM",
        "SHAP",
        "Shapley value",
        "Interaction",
        "Saliency",
        "Score",
        "Evidence",
        "Tested map",
    ),
    "Compare": ("Heatmap", "Method", "Grad-CAM", "SHAP", "Shapley value", "Score", "Probability", "Glass box"),
    "Inside": ("Network", "Stage", "Cell", "Map", "Score", "Grad-CAM", "SHAP", "Mean face"),
    "Lab": ("Heatmap", "Random patch", "Mean face", "Score", "Shapley value", "Glass box"),
    "Learn": ("Network", "Heatmap", "Method", "Shapley value", "Random patch"),
    "Data": ("Network", "Keypoints", "Their mean", "Agreement", "Kappa", "Confidence interval", "Principal components"),
    "Models": ("Calibration error", "Keypoints", "Tested map", "Random patch"),
}
"""Which words each tab explains, by its title."""


def of(title: str) -> list[tuple[str, str]]:
    """The words of a tab and what they mean."""
    return [(term, TERMS[term]) for term in OF_TAB[title]]
