export class RoiViewer { constructor(){} update(){} destroy(){} }
